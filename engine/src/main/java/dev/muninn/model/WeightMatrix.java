package dev.muninn.model;

import dev.muninn.weights.DType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Objects;

/**
 * A weight matrix in place: row-major or in panels, little-endian, possibly unaligned.
 *
 * @param format how the weights lie
 * @param rows outputs of the product
 * @param columns inputs of the product
 * @param stride bytes from one row, or panel, to the next: more than it has, if it is part of a
 *     wider one
 * @param data from the first element to the last, whole panels in formats that have them
 */
public record WeightMatrix(
    WeightFormat format, int rows, int columns, long stride, MemorySegment data) {
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  public WeightMatrix {
    Objects.requireNonNull(format, "format");
    if (rows < 1 || columns < 1) {
      throw new IllegalArgumentException(
          "a matrix needs rows and columns, not " + rows + " x " + columns);
    }
    String parts = format.inPanels() ? "panels" : "rows";
    if (stride < format.bytes(columns)) {
      throw new IllegalArgumentException(
          parts + " of " + columns + " " + format + " do not fit into " + stride + " bytes");
    }
    long expected = size(format, rows, columns, stride);
    if (data.byteSize() != expected) {
      throw new IllegalArgumentException(
          "a matrix of "
              + rows
              + " x "
              + columns
              + " "
              + format
              + " has "
              + expected
              + " bytes, "
              + stride
              + (format.inPanels() ? " from panel to panel, not " : " from row to row, not ")
              + data.byteSize());
    }
  }

  /**
   * Row after row, or panel after panel.
   *
   * @param data all elements
   */
  public WeightMatrix(WeightFormat format, int rows, int columns, MemorySegment data) {
    this(format, rows, columns, format.bytes(columns), data);
  }

  /**
   * Row after row.
   *
   * @param data rows * columns elements
   */
  public WeightMatrix(DType dtype, int rows, int columns, MemorySegment data) {
    this(WeightFormat.of(dtype), rows, columns, data);
  }

  /** A matrix of which only the shape is known. Nobody may read its elements. */
  public static WeightMatrix shapeOnly(DType dtype, int rows, int columns) {
    return shapeOnly(WeightFormat.of(dtype), rows, columns);
  }

  /** A matrix of which only the shape is known. Nobody may read its elements. */
  public static WeightMatrix shapeOnly(WeightFormat format, int rows, int columns) {
    long bytes = format.strides(rows) * format.bytes(columns);
    return new WeightMatrix(format, rows, columns, MemorySegment.NULL.reinterpret(bytes));
  }

  private static long size(WeightFormat format, int rows, int columns, long stride) {
    return (format.strides(rows) - 1) * stride + format.bytes(columns);
  }

  /**
   * Some columns of every row, in place.
   *
   * @param from first column; in a format with blocks the first of a block
   * @throws IndexOutOfBoundsException if the matrix does not have them
   * @throws IllegalArgumentException if there are none, or if they begin within a block; they may
   *     end within one, whose rest is padding
   */
  public WeightMatrix part(int from, int count) {
    Objects.checkFromIndexSize(from, count, columns);
    int block = format.blockInputs();
    if (from % block != 0) {
      throw new IllegalArgumentException(
          "columns from " + from + " on do not begin a block of " + format);
    }
    long size = size(format, rows, count, stride);
    return new WeightMatrix(format, rows, count, stride, data.asSlice(format.bytes(from), size));
  }

  /**
   * Some rows, in place.
   *
   * @param from first row; in a format with panels the first of a panel
   * @throws IndexOutOfBoundsException if the matrix does not have them
   * @throws IllegalArgumentException if there are none, or if they begin or end within a panel that
   *     has others
   */
  public WeightMatrix rows(int from, int count) {
    Objects.checkFromIndexSize(from, count, rows);
    int panel = format.inPanels() ? WeightFormat.PANEL_ROWS : 1;
    if (from % panel != 0 || count % panel != 0 && from + count < rows) {
      throw new IllegalArgumentException(
          "rows " + from + " to " + (from + count) + " are no whole panels of " + format);
    }
    long size = size(format, count, columns, stride);
    return new WeightMatrix(
        format, count, columns, stride, data.asSlice(from / panel * stride, size));
  }

  /**
   * The type of a row-major matrix' numbers.
   *
   * @throws IllegalStateException if weights lie in panels
   */
  public DType dtype() {
    return format.dtype();
  }

  /** Number of elements. */
  public long elements() {
    return (long) rows * columns;
  }

  /** Bytes of all elements, with what fills up blocks and panels. */
  public long bytes() {
    return format.strides(rows) * format.bytes(columns);
  }

  /** Bytes of the elements of a row, or of a panel. */
  public long rowBytes() {
    return format.bytes(columns);
  }

  /** An element, for what is no hot loop. */
  public float get(int row, int column) {
    return switch (format) {
      case F32 -> data.get(FLOAT, row * stride + 4L * column);
      case BF16 -> bf16(row * stride + 2L * column);
      case F16 -> Float.float16ToFloat(data.get(SHORT, row * stride + 2L * column));
      case BF16_PANELS -> bf16(block(row, column) + pairOffset(row));
      case Q8, Q4 -> quantized(row, column) * scale(row, column);
    };
  }

  /**
   * The whole number that, times its {@link #scale}, is an element, in a format that has scales.
   */
  public int quantized(int row, int column) {
    int input = column % WeightFormat.BLOCK_INPUTS;
    return switch (format) {
      case Q8 -> {
        long at = block(row, column) + 128L * (input / 4) + 4L * (row % 32) + input % 4;
        yield (data.get(ValueLayout.JAVA_BYTE, at) & 0xFF) - 128;
      }
      case Q4 -> {
        int bits = data.get(SHORT, block(row, column) + 64L * (input / 4) + pairOffset(row));
        yield (bits >> 4 * (input % 4) & 15) - 8;
      }
      default -> throw new IllegalStateException(format + " has no scales");
    };
  }

  /** The scale of the block that an element is in, in a format that has scales. */
  public float scale(int row, int column) {
    if (format.blockInputs() == 1) {
      throw new IllegalStateException(format + " has no scales");
    }
    long end = block(row, column) + format.blockBytes();
    return bf16(end - 2L * WeightFormat.PANEL_ROWS + pairOffset(row));
  }

  /** Byte offset of an element's block. */
  private long block(int row, int column) {
    return row / WeightFormat.PANEL_ROWS * stride
        + (long) (column / format.blockInputs()) * format.blockBytes();
  }

  /** Where a row of a panel has its 16-bit number among those of all rows, in bytes. */
  private static long pairOffset(int row) {
    return 4L * (row % 16) + 2L * (row % WeightFormat.PANEL_ROWS / 16);
  }

  private float bf16(long at) {
    return Float.intBitsToFloat(data.get(SHORT, at) << Short.SIZE);
  }
}
