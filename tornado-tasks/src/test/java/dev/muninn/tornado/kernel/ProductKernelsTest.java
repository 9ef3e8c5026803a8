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

  /** Rows of the product are in the input from behind. */
  private static RowTable reversed(int count) {
    RowTable rows = new RowTable(MOST, MOST);
    rows.clear();
    for (int row = 0; row < count; row++) {
      rows.add(MOST - 1 - row, 0, 0, CacheFormat.BF16_UNITS);
    }
    return rows;
  }

  private void check(int format, int count, int inputs, int outputs) {
    boolean scaled = WeightFormat.isScaled(format);
    RowTable rows = reversed(count);
    Weights weights = new Weights(format, outputs, inputs);
    float[] values = values(MOST * inputs);
    FloatArray input = FloatArray.fromArray(values);
    FloatArray target = new FloatArray(MOST * outputs);
    float[][] expected = new float[count][];
    for (int row = 0; row < count; row++) {
      int from = (MOST - 1 - row) * inputs;
      expected[row] = ScalarTwins.product(weights.values, ScalarTwins.part(values, from, inputs));
    }
    IntFunction<Float> at =
        i -> i / outputs < count ? expected[i / outputs][i % outputs] : Float.NaN;
    double tolerance = 2e-4;
    int section = RowTable.slots(MOST);
    KernelRun.Output output = KernelRun.Output.of(target);
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
        new Object[] {rows.data(), input, weights.floats, weights.packed, table, target},
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
