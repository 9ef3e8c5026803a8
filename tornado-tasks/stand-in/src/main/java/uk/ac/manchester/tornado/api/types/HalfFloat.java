package uk.ac.manchester.tornado.api.types;

/** Sixteen bits: an IEEE half, or what else a kernel takes them for. */
public class HalfFloat {
  private final short bits;

  /** A number of these bits. */
  public HalfFloat(short bits) {
    this.bits = bits;
  }

  /** The bits. */
  public short getHalfFloatValue() {
    return bits;
  }

  /** The number that they are as an IEEE half. */
  public float getFloat32() {
    return Float.float16ToFloat(bits);
  }
}
