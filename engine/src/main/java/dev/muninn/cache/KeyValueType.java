package dev.muninn.cache;

import dev.muninn.model.WeightFormat;

/** How keys and values are stored. */
public enum KeyValueType {
  F32(4),
  /** Rounded to the nearest, ties to even; half the memory. */
  BF16(2);

  private final int bytes;

  KeyValueType(int bytes) {
    this.bytes = bytes;
  }

  /** Bytes of one number. */
  public int bytes() {
    return bytes;
  }

  /** The type that suits the weights: F32 for F32 and F16 weights, else BF16. */
  public static KeyValueType forWeights(WeightFormat weights) {
    return switch (weights) {
      case F32, F16 -> F32;
      case BF16, BF16_PANELS, Q8, Q4 -> BF16;
    };
  }
}
