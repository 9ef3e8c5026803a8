package dev.muninn.weights;

import java.util.Optional;

/**
 * The element types of the safetensors format; a constant's name is its name in a header.
 *
 * <p>The constants stand in the order of the format's reference implementation, by rising
 * alignment: {@link SafetensorsWriter} lays tensors out by it.
 */
public enum DType {
  /** Boolean, one byte each. */
  BOOL(8),
  /** Float of 4 bits (OCP microscaling), two in a byte. */
  F4(4),
  /** Float of 6 bits, 2 of exponent (OCP microscaling), packed. */
  F6_E2M3(6),
  /** Float of 6 bits, 3 of exponent (OCP microscaling), packed. */
  F6_E3M2(6),
  /** Unsigned integer of 8 bits. */
  U8(8),
  /** Signed integer of 8 bits. */
  I8(8),
  /** Float of 8 bits, 5 of exponent. */
  F8_E5M2(8),
  /** Float of 8 bits, 4 of exponent. */
  F8_E4M3(8),
  /** Power of two, 8 bits of exponent (OCP microscaling). */
  F8_E8M0(8),
  /** Float of 8 bits, 4 of exponent, without infinities and negative zero. */
  F8_E4M3FNUZ(8),
  /** Float of 8 bits, 5 of exponent, without infinities and negative zero. */
  F8_E5M2FNUZ(8),
  /** Signed integer of 16 bits. */
  I16(16),
  /** Unsigned integer of 16 bits. */
  U16(16),
  /** IEEE half-precision float. */
  F16(16),
  /** The upper half of an IEEE single-precision float. */
  BF16(16),
  /** Signed integer of 32 bits. */
  I32(32),
  /** Unsigned integer of 32 bits. */
  U32(32),
  /** IEEE single-precision float. */
  F32(32),
  /** Complex number of two single-precision floats. */
  C64(64),
  /** IEEE double-precision float. */
  F64(64),
  /** Signed integer of 64 bits. */
  I64(64),
  /** Unsigned integer of 64 bits. */
  U64(64);

  private final int bits;

  DType(int bits) {
    this.bits = bits;
  }

  /** The width of one element, in bits. */
  public int bits() {
    return bits;
  }

  /** Whether {@link Tensor#get} can read elements of this type: F32, F16 and BF16. */
  public boolean readable() {
    return this == F32 || this == F16 || this == BF16;
  }

  /** The type of this header name; the case of letters counts. */
  static Optional<DType> named(String name) {
    for (DType type : values()) {
      if (type.name().equals(name)) {
        return Optional.of(type);
      }
    }
    return Optional.empty();
  }
}
