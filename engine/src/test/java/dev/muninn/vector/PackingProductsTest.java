package dev.muninn.vector;

import static dev.muninn.kernel.KernelInputs.assertSameBits;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.kernel.EveryWidth;
import dev.muninn.kernel.KernelInputs;
import dev.muninn.model.WeightMatrix;
import dev.muninn.weights.DType;
import java.lang.foreign.Arena;
import java.util.Arrays;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Many rows of row-major weights are the same to the last bit as each row alone. */
@EveryWidth
class PackingProductsTest {
  private static final int[] OUTPUTS = {1, 31, 32, 70};
  private static final int[] COLUMNS = {1, 17, 33, 256, 300, 523};

  @ParameterizedTest
  @EnumSource(names = {"F32", "BF16", "F16"})
  void rowsAreWhatEachIsAlone(DType dtype) {
    KernelInputs inputs = new KernelInputs(7);
    MatrixKernels.Scratch scratch = new MatrixKernels.Scratch();
    for (int rows : new int[] {PackingProducts.LEAST_ROWS, PackingProducts.LEAST_ROWS + 3}) {
      for (int columns : COLUMNS) {
        for (int outputs : OUTPUTS) {
          try (Arena arena = Arena.ofConfined()) {
            String what = dtype + " " + outputs + " x " + columns + ", " + rows + " rows";
            WeightMatrix matrix = inputs.matrix(dtype, outputs, columns, 2, arena);
            float[] x = inputs.values(rows * columns);
            PackedRows packed = new PackedRows(rows, columns);
            packed.shapeForPacking(rows, columns, matrix.format());
            assertTrue(packed.packing(), what);
            for (int row = 0; row < rows; row++) {
              packed.pack(row, x, row * columns);
            }
            float[] y = new float[rows * outputs];
            MatrixKernels.multiply(matrix, 0, outputs, packed, y, 0, outputs, scratch);
            float[] twin = new float[rows * outputs];
            ScalarMatrixKernels.multiply(
                matrix, 0, outputs, packed, twin, 0, outputs, scratch.lanes);
            assertSameBits(twin, y, what);
            PackedRows one = new PackedRows(1, columns);
            for (int row = 0; row < rows; row++) {
              one.shape(1, matrix);
              one.pack(0, x, row * columns);
              float[] alone = new float[outputs];
              MatrixKernels.multiply(matrix, 0, outputs, one, alone, 0, outputs, scratch);
              assertSameBits(
                  alone, Arrays.copyOfRange(y, row * outputs, (row + 1) * outputs), what);
            }
          }
        }
      }
    }
  }
}
