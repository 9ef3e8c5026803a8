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
}
