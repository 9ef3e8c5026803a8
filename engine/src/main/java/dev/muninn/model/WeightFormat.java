package dev.muninn.model;

import dev.muninn.weights.DType;
import java.util.Locale;

/**
 * How a matrix' weights lie in memory.
 *
 * <p>Row-major formats are those of a checkpoint as it came. The others are prepared: panels of
 * {@link #PANEL_ROWS} rows, the last filled up with zeros. A panel has, input by input, the weights
 * of its rows side by side, so that lanes are outputs. Where 16-bit numbers stand side by side, row
 * i is followed by row i + 16: read as little-endian ints, lower halves are rows 0 to 15 in order
 * and upper halves rows 16 to 31.
 */
public enum WeightFormat {
  /** Row by row. */
  F32(DType.F32, 4, 0),
  /** Row by row. */
  F16(DType.F16, 2, 0),
  /** Row by row. */
  BF16(DType.BF16, 2, 0),
  /** Panels of [inputs][32] BF16 numbers. */
  BF16_PANELS(null, 0, 2 * 32),
  /**
   * Panels of blocks of 32 inputs: [8][32 rows, here in plain order][4 inputs] bytes, then a BF16
   * scale of each row. A weight is (byte - 128) times its scale.
   */
  Q8(null, 0, 32 * 32 + 2 * 32),
  /**
   * Panels of blocks of 32 inputs: [8][32] shorts, each with the 4 bits of four inputs of a row,
   * the first input's lowest; then a BF16 scale of each row. A weight is (bits - 8) times its
   * scale.
   */
  Q4(null, 0, 32 * 16 + 2 * 32);

  /** Rows of a panel. */
  public static final int PANEL_ROWS = 32;

  /** Inputs of a block, which has one scale a row. */
  public static final int BLOCK_INPUTS = 32;

  private final DType dtype;
  private final int elementBytes;
  private final int blockBytes;

  WeightFormat(DType dtype, int elementBytes, int blockBytes) {
    this.dtype = dtype;
    this.elementBytes = elementBytes;
    this.blockBytes = blockBytes;
  }

  /**
   * The row-major format of numbers of a type.
   *
   * @throws IllegalArgumentException if there is none
   */
  public static WeightFormat of(DType dtype) {
    return switch (dtype) {
      case F32 -> F32;
      case F16 -> F16;
      case BF16 -> BF16;
      default ->
          throw new IllegalArgumentException("a matrix of " + dtype + " cannot be computed with");
    };
  }

  /** Whether weights lie in panels. */
  public boolean inPanels() {
    return blockBytes > 0;
  }

  /**
   * The type of a row-major format's numbers.
   *
   * @throws IllegalStateException if weights lie in panels
   */
  public DType dtype() {
    if (dtype == null) {
      throw new IllegalStateException(this + " is no row-major format");
    }
    return dtype;
  }

  /** Inputs that lie together in a panel: 1, or as many as share a scale. */
  public int blockInputs() {
    return this == Q8 || this == Q4 ? BLOCK_INPUTS : 1;
  }

  /** Bytes of {@link #blockInputs} inputs of a panel. */
  public int blockBytes() {
    return blockBytes;
  }

  /** Bytes of the columns of a row, or of a panel's rows. */
  public long bytes(int columns) {
    return inPanels()
        ? (long) Math.ceilDiv(columns, blockInputs()) * blockBytes
        : (long) columns * elementBytes;
  }

  /** Rows, or panels of rows, that hold so many outputs. */
  public int strides(int rows) {
    return inPanels() ? Math.ceilDiv(rows, PANEL_ROWS) : rows;
  }

  /** As people write it: {@code bf16 panels}, {@code q4}. */
  public String text() {
    return name().toLowerCase(Locale.ROOT).replace('_', ' ');
  }
}
