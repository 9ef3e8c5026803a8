package dev.muninn.weights;

import java.nio.file.Path;
import java.util.List;

/** The arithmetic of shapes, with every overflow refused. */
final class Shapes {
  /** The largest legal dimension. */
  static final long MAX_DIMENSION = (1L << 48) - 1;

  private static final int SHOWN_DIMENSIONS = 8;

  private Shapes() {}

  /**
   * The product of the dimensions, 1 if there are none.
   *
   * @throws ArithmeticException if the product, taken from the left, leaves 63 bits on the way; so
   *     [0, 2^47, 2^47] is legal and [2^47, 2^47, 0] is not, as in the reference implementation
   */
  static long product(List<Long> shape) {
    long product = 1;
    for (long dimension : shape) {
      product = Math.multiplyExact(product, dimension);
    }
    return product;
  }

  /**
   * The size of a tensor, in bytes.
   *
   * @throws CheckpointException if a dimension is out of range, if the size overflows or if it is
   *     not a whole number of bytes
   */
  static long byteSize(Path file, String tensor, DType dtype, List<Long> shape) {
    for (long dimension : shape) {
      if (dimension < 0 || dimension > MAX_DIMENSION) {
        throw CheckpointException.refusal(
            file, tensor, "dimension " + dimension, "0 to " + MAX_DIMENSION);
      }
    }
    long bits;
    try {
      bits = Math.multiplyExact(product(shape), dtype.bits());
    } catch (ArithmeticException overflow) {
      throw CheckpointException.refusal(
          file,
          tensor,
          "shape " + text(shape) + " of " + dtype + ", whose size overflows",
          "at most 2^63 - 1 bits");
    }
    if (bits % Byte.SIZE != 0) {
      throw CheckpointException.refusal(
          file,
          tensor,
          bits + " bits in shape " + text(shape) + " of " + dtype,
          "a whole number of bytes");
    }
    return bits / Byte.SIZE;
  }

  /**
   * Checks that a stretch of data has the size that its type and shape ask for.
   *
   * @throws CheckpointException if it has not, or if the shape is not legal
   */
  static void requireSize(Path file, String tensor, DType dtype, List<Long> shape, long found) {
    long expected = byteSize(file, tensor, dtype, shape);
    if (found != expected) {
      throw CheckpointException.refusal(
          file,
          tensor,
          found + " bytes of data",
          expected + " bytes for shape " + text(shape) + " of " + dtype);
    }
  }

  private static String text(List<Long> shape) {
    return shape.size() <= SHOWN_DIMENSIONS
        ? shape.toString()
        : shape.subList(0, SHOWN_DIMENSIONS) + "... (rank " + shape.size() + ")";
  }
}
