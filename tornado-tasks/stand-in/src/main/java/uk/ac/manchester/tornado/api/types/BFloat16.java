package uk.ac.manchester.tornado.api.types;

/** Numbers of 16 bits that are the upper halves of floats. */
public final class BFloat16 {
  private BFloat16() {}

  /** The float of these bits. */
  public static float bf16ToFloat(short bits) {
    return Float.intBitsToFloat(bits << Short.SIZE);
  }
}
