package dev.muninn.tornado;

import dev.muninn.model.Matrix;
import dev.muninn.tornado.kernel.WeightFormat;
import dev.muninn.weights.DType;
import java.lang.foreign.MemorySegment;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.ShortArray;

/**
 * A weight matrix as kernels take it: in one of two arrays, by its format; the other is a dummy.
 *
 * @param format {@link WeightFormat#of}
 * @param floats the weights if they have 32 bits
 * @param halves their bits if they have 16
 */
record DeviceMatrix(int format, FloatArray floats, ShortArray halves) {
  private static final FloatArray NO_FLOATS = new FloatArray(1);
  private static final ShortArray NO_HALVES = new ShortArray(1);

  /** A matrix that waits for its upload as long as {@code staging} is open. */
  static DeviceMatrix stage(Matrix matrix, Staging staging) {
    MemorySegment bytes = staging.stage(matrix);
    int format = WeightFormat.of(matrix.dtype());
    return matrix.dtype() == DType.F32
        ? new DeviceMatrix(format, FloatArray.fromSegmentShallow(bytes), NO_HALVES)
        : new DeviceMatrix(format, NO_FLOATS, ShortArray.fromSegmentShallow(bytes));
  }

  /** Both arrays, to be transferred. */
  Object[] arrays() {
    return new Object[] {floats, halves};
  }
}
