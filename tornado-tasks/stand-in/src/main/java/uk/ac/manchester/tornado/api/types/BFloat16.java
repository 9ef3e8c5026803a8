package uk.ac.manchester.tornado.api.types;

/** Numbers of 16 bits that are the upper halves of floats. */
public final class BFloat16 {
  private BFloat16() {}

  /** The float of these bits. */
  public static float bf16ToFloat(short bits) {
    return Float.intBitsToFloat(bits << Short.SIZE);
  }

  /** The nearest bits, to even between two. */
  public static short bf16FromFloat(float value) {
    int bits = Float.floatToIntBits(value);
    return (short)
        (Float.isNaN(value) ? 0x7FC0 : bits + 0x7FFF + (bits >>> Short.SIZE & 1) >> Short.SIZE);
  }
}
