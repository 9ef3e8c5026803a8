package dev.muninn.cache;

import dev.muninn.model.WeightFormat;

/** How keys and values are stored. */
public enum KeyValueType {
  F32(4, 0),
  /** Rounded to the nearest, ties to even; half the memory. */
  BF16(2, 0),
  /** Rounded to 8 bits, with a scale for each head and position; about a quarter. */
  Q8(1, 4);

  private final int bytes;
  private final int scaleBytes;

  KeyValueType(int bytes, int scaleBytes) {
    this.bytes = bytes;
    this.scaleBytes = scaleBytes;
  }

  /** Bytes of one number, without its scale. */
  public int bytes() {
    return bytes;
  }

  /** Bytes of the key, or the value, of one head and position. */
  public int rowBytes(int headSize) {
    return bytes * headSize + scaleBytes;
  }

  /** The type that suits the weights: F32 for F32 and F16 weights, else BF16. */
  public static KeyValueType forWeights(WeightFormat weights) {
    return switch (weights) {
      case F32, F16 -> F32;
      case BF16, BF16_PANELS, Q8, Q4 -> BF16;
    };
  }
}
