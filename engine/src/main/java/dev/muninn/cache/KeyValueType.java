package dev.muninn.cache;

import dev.muninn.model.WeightFormat;

/** How keys and values are stored. */
public enum KeyValueType {
  F32(4, 0, 1, 1),
  /** Rounded to the nearest, ties to even; half the memory. */
  BF16(2, 0, 1, 1),
  /** Rounded to 8 bits, with a scale for each head and position; about a quarter. */
  Q8(1, 4, 16, 16);

  private final int bytes;
  private final int scaleBytes;
  private final int columnUnit;
  private final int rowUnit;

  /**
   * Describes a type.
   *
   * @param columnUnit a row has room for a multiple of so many numbers
   * @param rowUnit a head has room for a multiple of so many positions
   */
  KeyValueType(int bytes, int scaleBytes, int columnUnit, int rowUnit) {
    this.bytes = bytes;
    this.scaleBytes = scaleBytes;
    this.columnUnit = columnUnit;
    this.rowUnit = rowUnit;
  }

  /** Bytes of one number, without its scale. */
  public int bytes() {
    return bytes;
  }

  /** Numbers that the key, or the value, of one head and position has room for. */
  public int columns(int headSize) {
    return columnUnit * Math.ceilDiv(headSize, columnUnit);
  }

  /** Bytes of the key, or the value, of one head and position. */
  public int rowBytes(int headSize) {
    return bytes * columns(headSize) + scaleBytes;
  }

  /** How many positions a head has memory for, to have room for some. */
  public long rows(int positions) {
    return (long) rowUnit * Math.ceilDiv(positions, rowUnit);
  }

  /** The type that suits the weights: F32 for F32 and F16 weights, else BF16. */
  public static KeyValueType forWeights(WeightFormat weights) {
    return switch (weights) {
      case F32, F16 -> F32;
      case BF16, BF16_PANELS, Q8, Q4 -> BF16;
    };
  }
}
