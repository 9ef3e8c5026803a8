package dev.muninn.cache;

import dev.muninn.weights.DType;

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

  /** The type that loses nothing that the weights had: BF16 for BF16 weights, else F32. */
  public static KeyValueType forWeights(DType weights) {
    return weights == DType.BF16 ? BF16 : F32;
  }
}
