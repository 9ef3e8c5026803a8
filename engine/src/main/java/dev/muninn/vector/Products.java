package dev.muninn.vector;

import dev.muninn.model.WeightFormat;
import dev.muninn.model.WeightMatrix;

/**
 * The products of weights in one format. A format that is read row by row extends {@link
 * RowMajorProducts}; one that is laid out otherwise extends this class. {@link #of} knows them all.
 */
abstract class Products {
  /** The products of weights in a format. */
  static Products of(WeightFormat format) {
    return switch (format) {
      case F32, F16, BF16 -> RowMajorProducts.of(format.dtype());
      case BF16_PANELS, Q8, Q4 -> PanelProducts.of(format);
    };
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
