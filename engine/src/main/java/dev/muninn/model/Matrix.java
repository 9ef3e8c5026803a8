package dev.muninn.model;

import dev.muninn.weights.DType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Objects;

/**
 * A weight matrix in place: row-major, little-endian, possibly unaligned.
 *
 * @param dtype F32, F16 or BF16
 * @param rows outputs of the product
 * @param columns inputs of the product
 * @param data rows * columns elements
 */
public record Matrix(DType dtype, int rows, int columns, MemorySegment data) {
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  public Matrix {
    Objects.requireNonNull(dtype, "dtype");
    if (!dtype.readable()) {
      throw new IllegalArgumentException("a matrix of " + dtype + " cannot be computed with");
    }
    if (rows < 1 || columns < 1) {
      throw new IllegalArgumentException(
          "a matrix needs rows and columns, not " + rows + " x " + columns);
    }
    long expected = (long) rows * columns * dtype.bits() / 8;
    if (data.byteSize() != expected) {
      throw new IllegalArgumentException(
          "a matrix of "
              + rows
              + " x "
              + columns
              + " "
              + dtype
              + " has "
              + expected
              + " bytes, not "
              + data.byteSize());
    }
  }

  /** An element, for what is no hot loop. */
  public float get(int row, int column) {
    long at = row * rowBytes() + (long) column * dtype.bits() / 8;
    return switch (dtype) {
      case F32 -> data.get(FLOAT, at);
      case BF16 -> Float.intBitsToFloat(data.get(SHORT, at) << Short.SIZE);
      case F16 -> Float.float16ToFloat(data.get(SHORT, at));
      default -> throw new IllegalStateException("no element of " + dtype + " can be read");
    };
  }

  /** Bytes from one row to the next. */
  public long rowBytes() {
    return (long) columns * dtype.bits() / 8;
  }
}
