package dev.muninn.vector;

import static dev.muninn.kernel.KernelInputs.assertSameBits;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.kernel.EveryWidth;
import dev.muninn.kernel.Lanes;
import dev.muninn.model.WeightFormat;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@EveryWidth
@Tag("without-c2")
class PackedRowsTest {
  private static final int[] ROWS = {1, 2, 4, 5, 9};
  private static final int[] COLUMNS = {1, 7, 24, 31, 32, 33, 56, 64, 136};

  /** Every value is somewhere, once, and the vectors put it where their twin does. */
  @ParameterizedTest
  @EnumSource(names = {"F32", "BF16"})
  void everyValueHasItsPlace(WeightFormat weights) {
    for (int rows : ROWS) {
      for (int columns : COLUMNS) {
        float[] x = new float[rows * columns + 3];
        for (int i = 0; i < x.length; i++) {
          x[i] = 1 + i;
        }
        PackedRows packed = new PackedRows(rows, columns);
        PackedRows twin = new PackedRows(rows, columns);
        int shift = 2 * (rows % Lanes.COUNT);
        packed.shape(rows, columns, weights, shift);
        twin.shape(rows, columns, weights, shift);
        for (int row = rows - 1; row >= 0; row--) {
          packed.pack(row, x, 3 + row * columns);
          ScalarMatrixKernels.pack(twin, row, x, 3 + row * columns);
        }
        String what = rows + " rows of " + columns;
        float[] values = packed.values();
        assertSameBits(twin.values(), values, what);
        Set<Float> found = new HashSet<>();
        for (float value : values) {
          assertTrue(value == 0 || found.add(value), () -> value + " twice in " + what);
        }
        assertEquals(rows * columns, found.size(), what);
        for (int i = 3; i < x.length; i++) {
          assertTrue(found.contains(x[i]), what);
        }
      }
    }
  }
}
