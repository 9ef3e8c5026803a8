package dev.muninn.tornado;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.muninn.Fixture;
import dev.muninn.backend.BackendException;
import dev.muninn.backend.LatentRows;
import dev.muninn.backend.RowBatch;
import dev.muninn.cache.KeyValueLayout;
import dev.muninn.cache.SequenceCache;
import dev.muninn.cache.SlotPolicy;
import dev.muninn.tornado.kernel.WeightFormat;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import uk.ac.manchester.tornado.api.common.TornadoDevice;
import uk.ac.manchester.tornado.api.enums.TornadoVMBackendType;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * Models whose products of many rows are computed on tensor cores, emulated where there are none.
 */
class TensorCoresTest {
  private static final TornadoDevice DEVICE = TestDevices.find(TestDevices.all().getFirst());
  private static final Schedule TENSORS = new Schedule(32, true, true);

  /** A whole prompt is more rows than stand in registers. */
  @Test
  void logitsAreNear() {
    TornadoVMBackendType type = DEVICE.getTornadoVMBackend();
    assumeTrue(
        TestDevices.isStandIn(DEVICE) || type == TornadoVMBackendType.CUDA,
        "only CUDA and the stand-in have tensor cores");
    try (Fixture fixture = new Fixture("raven-1-4-1-bf16");
        DeviceBackend backend = TestDevices.open(fixture.model(), fixture.checkpoint(), TENSORS)) {
      assertTrue(backend.description().endsWith(backend.device().toString()), backend::description);
      int[] tokens = fixture.tokens();
      assertTrue(tokens.length > 8, "few rows");
      Map<String, Object> expected = fixture.cases("forward").get(1);
      int r = Fixture.integer(expected, "r");
      int width = fixture.model().width();
      float[] logits = new float[fixture.model().vocabularySize()];
      float[] initial = fixture.initialState();
      KeyValueLayout layout =
          new KeyValueLayout(fixture.model(), SlotPolicy.full(), r, tokens.length);
      try (SequenceCache cache = new SequenceCache(layout, backend.allocate(layout));
          LatentRows rows = backend.rows(tokens.length)) {
        RowBatch batch = new RowBatch(tokens.length);
        for (int p = 0; p < tokens.length; p++) {
          batch.add(p, cache, p, tokens[p]);
          batch.setLogits(p, true);
        }
        rows.prelude(batch);
        for (int p = 0; p < tokens.length; p++) {
          rows.writeLatent(p, Arrays.copyOfRange(initial, p * width, (p + 1) * width));
        }
        for (int i = 0; i < r; i++) {
          for (int p = 0; p < tokens.length; p++) {
            batch.setRecurrence(p, i);
          }
          rows.recur(batch);
        }
        rows.coda(batch);
        rows.readLogits(0, logits);
        assertArrayEquals(Fixture.floats(expected, "logits_first_position"), logits, 1e-3f);
        rows.readLogits(tokens.length - 1, logits);
        assertArrayEquals(Fixture.floats(expected, "logits_last"), logits, 1e-3f);
      }
    }
  }

  @Test
  void tensorCoresThatFailTheirTestAreLeftOut() {
    SelfTest.Outcome outcome =
        SelfTest.withTensors(
            TENSORS,
            () -> {
              throw new BackendException("output 3 is 1.0, not 2.0\nand more");
            });
    assertFalse(outcome.schedule().tensors());
    assertTrue(outcome.schedule().warps());
    assertEquals(", without tensor cores (output 3 is 1.0, not 2.0)", outcome.limits());
    // A runtime without such kernels fails by errors.
    outcome =
        SelfTest.withTensors(
            TENSORS,
            () -> {
              throw new NoSuchMethodError("mmaBF16");
            });
    assertEquals(", without tensor cores (mmaBF16)", outcome.limits());
  }

  @Test
  void othersAreNotTested() {
    AtomicInteger tests = new AtomicInteger();
    Schedule warps = TENSORS.withoutTensors();
    assertEquals(warps, SelfTest.withTensors(warps, tests::incrementAndGet).schedule());
    assertEquals(0, tests.get());
    SelfTest.Outcome outcome = SelfTest.withTensors(TENSORS, tests::incrementAndGet);
    assertEquals(new SelfTest.Outcome(TENSORS, ""), outcome);
    assertEquals(1, tests.get());
  }

  /** Fragments are whole, and only BF16 is multiplied. */
  @Test
  void onlyMatricesThatFitAreTaken() {
    assertTrue(matrix(136, 48, WeightFormat.BF16).fitsTensors());
    assertFalse(matrix(136, 40, WeightFormat.BF16).fitsTensors());
    assertFalse(matrix(132, 48, WeightFormat.BF16).fitsTensors());
    for (int format :
        new int[] {WeightFormat.F32, WeightFormat.F16, WeightFormat.Q8, WeightFormat.Q4}) {
      assertFalse(matrix(136, 48, format).fitsTensors());
    }
  }

  private static DeviceMatrix matrix(int rows, int columns, int format) {
    return new DeviceMatrix(rows, columns, columns, format, new FloatArray(1), new IntArray(1));
  }
}
