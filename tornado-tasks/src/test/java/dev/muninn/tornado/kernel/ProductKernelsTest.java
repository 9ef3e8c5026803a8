package dev.muninn.tornado.kernel;

import dev.muninn.tornado.TestDevices;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.IntFunction;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/**
 * The product in Java and on the devices against sums in doubles: in all formats, of as many rows
 * as stand in registers together and of some that stay over, and in tiles.
 */
class ProductKernelsTest extends KernelFixture {
  private static final int MOST = 80;
  private static final int TILE_LANES = 32;
  private static final float NOT_WRITTEN = 0x1p100f;
  private static final float NOT_A_NUMBER = 0x1p101f;

  /** Rows of the product are in the input from behind. */
  private static RowTable reversed(int count) {
    RowTable rows = new RowTable(MOST, MOST);
    rows.clear();
    for (int row = 0; row < count; row++) {
      rows.add(MOST - 1 - row, 0, 0, CacheFormat.BF16_UNITS);
    }
    return rows;
  }

  /** Stands for NaN, which would be compared with nothing. */
  private static float marked(float sum) {
    return Float.isNaN(sum) ? NOT_A_NUMBER : sum;
  }

  private void check(int format, int count, int inputs, int outputs) {
    check(format, count, inputs, outputs, new Weights(format, outputs, inputs), 2e-4);
  }

  private void check(
      int format, int count, int inputs, int outputs, Weights weights, double tolerance) {
    boolean scaled = WeightFormat.isScaled(format);
    boolean halves = format == WeightFormat.F16;
    RowTable rows = reversed(count);
    float[] values = values(MOST * inputs);
    FloatArray input = FloatArray.fromArray(values);
    FloatArray target = new FloatArray(MOST * outputs);
    float[][] expected = new float[count][];
    for (int row = 0; row < count; row++) {
      int from = (MOST - 1 - row) * inputs;
      expected[row] = ScalarTwins.product(weights.values, ScalarTwins.part(values, from, inputs));
    }
    IntFunction<Float> at =
        i -> i / outputs < count ? marked(expected[i / outputs][i % outputs]) : Float.NaN;
    int section = RowTable.slots(MOST);
    KernelRun.Output output =
        new KernelRun.Output(
            target, target.getSize(), () -> target.init(NOT_WRITTEN), i -> marked(target.get(i)));
    KernelRun.inJava(
        outputs,
        output,
        at,
        tolerance,
        (context, lanes) -> {
          if (scaled) {
            ProductKernels.productOfScaled(
                context,
                rows.data(),
                input,
                weights.floats,
                weights.packed,
                table,
                target,
                RowTable.ROWS,
                section,
                inputs,
                weights.stride,
                outputs,
                format,
                lanes);
          } else {
            ProductKernels.product(
                context,
                rows.data(),
                input,
                weights.floats,
                weights.packed,
                table,
                target,
                RowTable.ROWS,
                section,
                inputs,
                weights.stride,
                outputs,
                format,
                lanes);
          }
        });
    List<KernelRun.Lay> lays = new ArrayList<>();
    lays.add(new KernelRun.Lay(outputs, 1, 1, false));
    lays.add(lay(outputs, TestDevices.lanes(4), false));
    lays.add(lay(outputs, TILE_LANES, false));
    lays.add(lay(outputs, TILE_LANES, true));
    KernelRun.onDevices(
        lays,
        new Object[] {
          rows.data(), input, weights.floats, weights.packed, weights.halves, table, target
        },
        output,
        at,
        tolerance,
        (graph, context, lay) -> {
          if (lay.warps() && scaled) {
            graph.task(
                "kernel",
                ProductKernels::productOfScaledByWarps,
                context,
                rows.data(),
                input,
                weights.floats,
                weights.packed,
                table,
                target,
                RowTable.ROWS,
                section,
                inputs,
                weights.stride,
                outputs,
                format);
          } else if (lay.warps() && halves) {
            graph.task(
                "kernel",
                ProductKernels::productOfHalvesByWarps,
                context,
                rows.data(),
                input,
                weights.halves,
                weights.packed,
                table,
                target,
                RowTable.ROWS,
                section,
                inputs,
                weights.stride,
                outputs);
          } else if (lay.warps()) {
            graph.task(
                "kernel",
                ProductKernels::productByWarps,
                context,
                rows.data(),
                input,
                weights.floats,
                weights.packed,
                table,
                target,
                RowTable.ROWS,
                section,
                inputs,
                weights.stride,
                outputs,
                format);
          } else if (scaled) {
            graph.task(
                "kernel",
                ProductKernels::productOfScaled,
                context,
                rows.data(),
                input,
                weights.floats,
                weights.packed,
                table,
                target,
                RowTable.ROWS,
                section,
                inputs,
                weights.stride,
                outputs,
                format,
                lay.lanes());
          } else {
            graph.task(
                "kernel",
                ProductKernels::product,
                context,
                rows.data(),
                input,
                weights.floats,
                weights.packed,
                table,
                target,
                RowTable.ROWS,
                section,
                inputs,
                weights.stride,
                outputs,
                format,
                lay.lanes());
          }
          return Map.of("kernel", lay);
        });
  }

  private static KernelRun.Lay lay(int outputs, int lanes, boolean warps) {
    int items = ProductKernels.items(outputs, MOST, lanes);
    return new KernelRun.Lay(items, lanes, Lanes.ITEMS * lanes, warps);
  }

  @ParameterizedTest
  @ValueSource(
      ints = {
        WeightFormat.F32,
        WeightFormat.BF16,
        WeightFormat.F16,
        WeightFormat.Q8,
        WeightFormat.Q4
      })
  void everyFormatInBlocksAndInTiles(int format) {
    check(format, 3, 70, 42);
    check(format, 17, 70, 66);
  }

  /** Halves of each kind: zero, subnormal, normal, infinite and not a number. */
  @ParameterizedTest
  @ValueSource(ints = {1, 3, 10})
  void specialHalves(int count) {
    int[] exponents = {0, 1, 15, 21, 31};
    int[] significands = {0, 1, 2, 511, 512, 1023};
    int outputs = 2 * exponents.length * significands.length;
    int inputs = 34;
    Weights weights = new Weights(WeightFormat.F16, outputs, inputs);
    for (int output = 0; output < outputs; output++) {
      int exponent = exponents[output / 2 % exponents.length];
      int significand = significands[output / 2 / exponents.length];
      // The others are zeros, so that a sum is the product of this one.
      for (int column = 0; column < inputs; column++) {
        weights.setHalf(output, column, 0);
      }
      int number = output % 2 << 15 | exponent << 10 | significand;
      weights.setHalf(output, output % inputs, number);
    }
    check(WeightFormat.F16, count, inputs, outputs, weights, 1e-14);
  }

  /** Each number of rows that stand in registers together, with others left over. */
  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 4, 7, 8})
  void anyNumberOfRows(int count) {
    check(WeightFormat.BF16, count, 62, 11);
  }

  /** The same with weights that are not packed, of which the number may be odd. */
  @ParameterizedTest
  @CsvSource({"4, 62", "7, 62", "8, 62", "8, 53"})
  void anyNumberOfRowsWithFloats(int count, int inputs) {
    check(WeightFormat.F32, count, inputs, 11);
  }

  /** A row is long enough for eight loads in flight, and some pairs stay over. */
  @ParameterizedTest
  @CsvSource({"1, 1130, 9", "1, 512, 8", "2, 514, 3"})
  void longRows(int count, int inputs, int outputs) {
    check(WeightFormat.BF16, count, inputs, outputs);
  }

  /** Columns, rows and outputs that fill no tile, and such that do; floats may be odd. */
  @ParameterizedTest
  @CsvSource({"9, 19, 1", "66, 18, 67", "64, 16, 64", "70, 17, 5", "10, 31, 70"})
  void tilesOfAnySize(int count, int inputs, int outputs) {
    check(WeightFormat.F32, count, inputs, outputs);
  }

  @ParameterizedTest
  @CsvSource({"3, 53, 42", "1, 17, 5"})
  void oddFloats(int count, int inputs, int outputs) {
    check(WeightFormat.F32, count, inputs, outputs);
  }

  /** The last block of a row has other columns behind it. */
  @ParameterizedTest
  @ValueSource(ints = {WeightFormat.Q8, WeightFormat.Q4})
  void oddBlocks(int format) {
    check(format, 2, 37, 9);
    check(format, 12, 37, 9);
  }
}
