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
 * @param rowStride bytes from one row to the next: more than a row has, if it is part of a wider
 *     one
 * @param data from the first row's first element to the last row's last
 */
public record WeightMatrix(DType dtype, int rows, int columns, long rowStride, MemorySegment data) {
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  public WeightMatrix {
    Objects.requireNonNull(dtype, "dtype");
    if (!dtype.readable()) {
      throw new IllegalArgumentException("a matrix of " + dtype + " cannot be computed with");
    }
    if (rows < 1 || columns < 1) {
      throw new IllegalArgumentException(
          "a matrix needs rows and columns, not " + rows + " x " + columns);
    }
    if (rowStride < bytes(dtype, columns)) {
      throw new IllegalArgumentException(
          "rows of " + columns + " " + dtype + " do not fit into " + rowStride + " bytes");
    }
    long expected = (rows - 1) * rowStride + bytes(dtype, columns);
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
              + " bytes, "
              + rowStride
              + " from row to row, not "
              + data.byteSize());
    }
  }

  /**
   * Row after row.
   *
   * @param data rows * columns elements
   */
  public WeightMatrix(DType dtype, int rows, int columns, MemorySegment data) {
    this(dtype, rows, columns, bytes(dtype, columns), data);
  }

  /** A matrix of which only the shape is known. Nobody may read its elements. */
  public static WeightMatrix shapeOnly(DType dtype, int rows, int columns) {
    MemorySegment nowhere = MemorySegment.NULL.reinterpret(rows * bytes(dtype, columns));
    return new WeightMatrix(dtype, rows, columns, nowhere);
  }

  private static long bytes(DType dtype, long columns) {
    return columns * dtype.bits() / 8;
  }

  /**
   * Some columns of every row, in place.
   *
   * @throws IndexOutOfBoundsException if the matrix does not have them
   * @throws IllegalArgumentException if there are none
   */
  public WeightMatrix part(int from, int count) {
    Objects.checkFromIndexSize(from, count, columns);
    long size = (rows - 1) * rowStride + bytes(dtype, count);
    return new WeightMatrix(dtype, rows, count, rowStride, data.asSlice(bytes(dtype, from), size));
  }

  /**
   * Some rows, in place.
   *
   * @throws IndexOutOfBoundsException if the matrix does not have them
   * @throws IllegalArgumentException if there are none
   */
  public WeightMatrix rows(int from, int count) {
    Objects.checkFromIndexSize(from, count, rows);
    long size = (count - 1) * rowStride + bytes(dtype, columns);
    return new WeightMatrix(dtype, count, columns, rowStride, data.asSlice(from * rowStride, size));
  }

  /** Number of elements. */
  public long elements() {
    return (long) rows * columns;
  }

  /** Bytes of all elements. */
  public long bytes() {
    return rows * rowBytes();
  }

  /** An element, for what is no hot loop. */
  public float get(int row, int column) {
    long at = row * rowStride + bytes(dtype, column);
    return switch (dtype) {
      case F32 -> data.get(FLOAT, at);
      case BF16 -> Float.intBitsToFloat(data.get(SHORT, at) << Short.SIZE);
      case F16 -> Float.float16ToFloat(data.get(SHORT, at));
      default -> throw new IllegalStateException("no element of " + dtype + " can be read");
    };
  }

  /** Bytes of a row's elements. */
  public long rowBytes() {
    return bytes(dtype, columns);
  }
}
