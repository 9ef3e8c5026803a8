package dev.muninn.vector;

import dev.muninn.model.WeightMatrix;
import dev.muninn.weights.DType;

/**
 * The products of weights in one format. A format that is read row by row extends {@link
 * RowMajorProducts}; one that is laid out otherwise extends this class. {@link #of} knows them all.
 */
abstract class Products {
  /** The products of weights of a type. */
  static Products of(DType dtype) {
    return RowMajorProducts.of(dtype);
  }

  /** {@link MatrixKernels#multiply}, for a matrix of this format. */
  abstract void multiply(
      WeightMatrix matrix,
      int from,
      int to,
      PackedRows x,
      float[] y,
      int at,
      int stride,
      MatrixKernels.Scratch scratch);
}
