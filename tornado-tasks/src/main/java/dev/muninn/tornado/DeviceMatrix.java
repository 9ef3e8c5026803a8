package dev.muninn.tornado;

import dev.muninn.model.WeightMatrix;
import dev.muninn.tornado.kernel.WeightFormat;
import dev.muninn.weights.DType;
import java.lang.foreign.MemorySegment;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.ShortArray;

/**
 * A weight matrix as kernels take it: in one of two arrays, by its format; the other is a dummy.
 *
 * @param rows outputs of the product
 * @param columns inputs of the product
 * @param format {@link WeightFormat#of}
 * @param floats the weights if they have 32 bits
 * @param halves their bits if they have 16
 */
record DeviceMatrix(int rows, int columns, int format, FloatArray floats, ShortArray halves) {
  private static final FloatArray NO_FLOATS = new FloatArray(1);
  private static final ShortArray NO_HALVES = new ShortArray(1);

  /** A matrix that waits for its upload as long as {@code staging} is open. */
  static DeviceMatrix stage(WeightMatrix matrix, Staging staging) {
    int format = WeightFormat.of(matrix.dtype());
    MemorySegment bytes = staging.stage(matrix);
    boolean wide = matrix.dtype() == DType.F32;
    return new DeviceMatrix(
        matrix.rows(),
        matrix.columns(),
        format,
        wide ? FloatArray.fromSegmentShallow(bytes) : NO_FLOATS,
        wide ? NO_HALVES : ShortArray.fromSegmentShallow(bytes));
  }

  /** Both arrays, to be transferred. */
  Object[] arrays() {
    return new Object[] {floats, halves};
  }
}
