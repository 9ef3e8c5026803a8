package dev.muninn.tornado.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/**
 * The product on tensor cores: its twin against sums in doubles, and the kernel against its twin,
 * where the device has tensor cores or emulates them.
 */
class TensorKernelsTest extends KernelFixture {
  private static final int MOST = 80;

  /** A number that is split keeps 16 bits and its sign: two halves of eight bits, either signed. */
  @Test
  void bothHalvesKeepSixteenBits() {
    for (int exponent = 20; exponent < 254; exponent++) {
      for (int i = 0; i < 200; i++) {
        float value = Float.intBitsToFloat(i << 31 | exponent << 23 | random.nextInt(1 << 23));
        float high = ScalarTwins.bf16(value);
        float low = ScalarTwins.bf16(value - high);
        assertEquals(value, high + low, Math.scalb(Math.abs(value), -17), "of " + value);
      }
    }
  }

  /** The twin is as near as the halves let it be: 2^-17 of each product, and what sums round. */
  @ParameterizedTest
  @CsvSource({"16", "1024", "5280", "17920"})
  void theTwinIsNearTheProduct(int inputs) {
    Weights weights = new Weights(WeightFormat.BF16, 24, inputs);
    float[] input = values(inputs);
    // As large as weights of so many inputs are.
    float scale = (float) (1 / Math.sqrt(inputs));
    for (float[] row : weights.values) {
      for (int i = 0; i < inputs; i++) {
        row[i] = ScalarTwins.bf16(scale * row[i]);
      }
    }
    float[] expected = ScalarTwins.product(weights.values, input);
    float[] split = ScalarTwins.splitProduct(weights.values, input);
    for (int o = 0; o < expected.length; o++) {
      assertEquals(expected[o], split[o], 1e-3, "output " + o);
    }
  }

  /** Columns of one step and of several; rows and outputs that fill no tile, and such that do. */
  @ParameterizedTest
  @CsvSource({"9, 16, 8", "16, 48, 136", "64, 32, 128", "73, 80, 40", "33, 64, 264", "8, 64, 16"})
  void theKernelComputesAsItsTwin(int count, int inputs, int outputs) {
    RowTable rows = new RowTable(MOST, MOST);
    rows.clear();
    for (int row = 0; row < count; row++) {
      rows.add(MOST - 1 - row, 0, 0, CacheFormat.BF16_UNITS);
    }
    Weights weights = new Weights(WeightFormat.BF16, outputs, inputs);
    float[] values = values(MOST * inputs);
    FloatArray input = FloatArray.fromArray(values);
    FloatArray target = new FloatArray(MOST * outputs);
    float[][] expected = new float[count][];
    for (int row = 0; row < count; row++) {
      float[] own = ScalarTwins.part(values, (MOST - 1 - row) * inputs, inputs);
      expected[row] = ScalarTwins.splitProduct(weights.values, own);
    }
    int written = Math.ceilDiv(count, TensorKernels.ROWS) * TensorKernels.ROWS;
    KernelRun.Output output =
        new KernelRun.Output(target, written * outputs, () -> target.init(Float.NaN), target::get);
    target.init(Float.NaN);
    int items = ProductKernels.items(outputs, MOST, TileKernels.LANES);
    KernelRun.onDevices(
        List.of(new KernelRun.Lay(items, TileKernels.LANES, Lanes.ITEMS * TileKernels.LANES, true)),
        new Object[] {rows.data(), input, weights.floats, weights.packed, table, target},
        output,
        i -> i / outputs < count ? expected[i / outputs][i % outputs] : Float.NaN,
        // Of few rows inputs are not split.
        count > ProductKernels.BLOCK_ROWS ? 2e-5 : 1e-3,
        (graph, context, lay) -> {
          graph.task(
              "kernel",
              ProductKernels::productByTensors,
              context,
              rows.data(),
              input,
              weights.floats,
              weights.packed,
              table,
              target,
              RowTable.ROWS,
              RowTable.slots(MOST),
              inputs,
              outputs);
          return Map.of("kernel", lay);
        });
    for (int i = written * outputs; i < MOST * outputs; i++) {
      assertTrue(Float.isNaN(target.get(i)), "element " + i + " was written");
    }
  }
}
