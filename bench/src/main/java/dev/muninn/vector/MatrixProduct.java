package dev.muninn.vector;

import dev.muninn.bench.BlockMatrix;
import dev.muninn.measure.RandomValues;
import dev.muninn.model.RecurrentModel;
import dev.muninn.model.WeightFormat;
import dev.muninn.model.WeightMatrix;
import dev.muninn.weights.DType;

/** A matrix times packed rows, by the kernel or by its scalar twin. */
final class MatrixProduct {
  private final Rotation<WeightMatrix> matrices;
  private final PackedRows x;
  private final float[] y;
  private final MatrixKernels.Scratch scratch = new MatrixKernels.Scratch();

  /**
   * A product of random numbers.
   *
   * @param bytes size of all the matrices that are used in turn
   */
  MatrixProduct(
      RecurrentModel model, BlockMatrix matrix, WeightFormat format, int rows, long bytes) {
    int outputs = matrix.rows(model);
    int columns = matrix.columns(model);
    int whole = matrix.wholeColumns(model);
    matrices =
        Rotation.of(
            format.inPanels() ? DType.BF16 : format.dtype(),
            format.strides(outputs) * format.bytes(whole),
            bytes,
            data -> new WeightMatrix(format, outputs, whole, data).part(0, columns));
    x = new PackedRows(rows, columns, format);
    x.shape(rows, columns, format);
    float[] values = RandomValues.floats(rows * columns, 1);
    for (int row = 0; row < rows; row++) {
      x.pack(row, values, row * columns);
    }
    y = new float[rows * outputs];
  }

  float[] compute() {
    WeightMatrix matrix = matrices.next();
    MatrixKernels.multiply(matrix, 0, matrix.rows(), x, y, 0, matrix.rows(), scratch);
    return y;
  }

  float[] computeScalar() {
    WeightMatrix matrix = matrices.next();
    ScalarMatrixKernels.multiply(
        matrix, 0, matrix.rows(), x, y, 0, matrix.rows(), scratch.partials);
    return y;
  }
}
