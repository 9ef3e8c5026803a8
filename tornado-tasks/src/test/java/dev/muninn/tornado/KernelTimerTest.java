package dev.muninn.tornado;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.Fixture;
import dev.muninn.backend.DeviceLimits;
import dev.muninn.backend.KernelTime;
import dev.muninn.backend.LatentRows;
import dev.muninn.backend.RowBatch;
import dev.muninn.cache.KeyValueLayout;
import dev.muninn.cache.SequenceCache;
import dev.muninn.cache.SlotPolicy;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import uk.ac.manchester.tornado.api.common.TornadoDevice;

/** Kernels and limits are measured; what a call costs is counted. */
class KernelTimerTest {
  private static final TornadoDevice DEVICE = TestDevices.find(TestDevices.all().getFirst());

  @ParameterizedTest
  @ValueSource(strings = {"raven-1-4-1-bf16", "families/ouro-f32"})
  void everyKernelIsTimed(String name) {
    try (Fixture fixture = new Fixture(name);
        KernelTimer timer =
            new KernelTimer(
                fixture.model(), fixture.checkpoint(), DEVICE, Schedule.of(DEVICE), false, 0)) {
      List<KernelTime> times = timer.measure(List.of(1, 3));
      Map<String, List<KernelTime>> byKernel =
          times.stream().collect(Collectors.groupingBy(KernelTime::kernel));
      boolean injected = fixture.model().core().injection().isPresent();
      assertEquals(injected ? 11 : 9, byKernel.size(), byKernel::toString);
      for (KernelTime time : times) {
        assertTrue(time.nanos() > 0, time::toString);
        assertTrue(time.bytes() > 0, time::toString);
      }
      List<KernelTime> head = byKernel.get("product head");
      int width = fixture.model().width();
      int vocabulary = fixture.model().vocabularySize();
      assertEquals(6.0 * width * vocabulary, head.getLast().operations());
      double rowBytes = 4.0 * (width + vocabulary);
      assertEquals(2 * rowBytes, head.getLast().bytes() - head.getFirst().bytes());
      assertEquals(
          fixture.model().coda().head().bytes() + rowBytes, head.getFirst().bytes(), "one row");
    }
  }

  @Test
  void limitsAreRates() {
    DeviceLimits limits = new DeviceProbe(DEVICE, Schedule.of(DEVICE), 1000, 32, 0).measure();
    assertTrue(limits.bytesPerSecond() > 0, limits::toString);
    assertTrue(Double.isFinite(limits.bytesPerSecond()), limits::toString);
    assertTrue(limits.operationsPerSecond() > 0, limits::toString);
    assertTrue(Double.isFinite(limits.operationsPerSecond()), limits::toString);
  }

  @Test
  void openingIsToldApart() {
    try (Fixture fixture = new Fixture("raven-1-4-1-bf16");
        DeviceBackend backend = TestDevices.open(fixture.model(), fixture.checkpoint())) {
      assertTrue(backend.openingTimes().orElseThrow().compileNanos() > 0);
      assertTrue(backend.openingTimes().orElseThrow().sendNanos() > 0);
    }
  }

  /** What is measured beside a model, and freed, leaves the model as it is. */
  @Test
  void aModelComputesOnBehindAMeasurement() {
    try (Fixture fixture = new Fixture("raven-1-4-1-bf16");
        DeviceBackend backend = TestDevices.open(fixture.model(), fixture.checkpoint());
        LatentRows rows = backend.rows(1)) {
      KeyValueLayout layout = new KeyValueLayout(fixture.model(), SlotPolicy.full(), 1, 1);
      RowBatch batch = new RowBatch(1);
      float[] before = new float[fixture.model().width()];
      float[] after = new float[fixture.model().width()];
      try (SequenceCache cache = new SequenceCache(layout, backend.allocate(layout))) {
        batch.add(0, cache, 0, 3);
        rows.prelude(batch);
        rows.readEmbedding(0, before);
        new DeviceProbe(DEVICE, Schedule.of(DEVICE), 1000, 32, 0).measure();
        rows.prelude(batch);
        rows.readEmbedding(0, after);
      }
      assertArrayEquals(before, after);
    }
  }
}
