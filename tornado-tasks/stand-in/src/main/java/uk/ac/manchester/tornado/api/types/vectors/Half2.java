package uk.ac.manchester.tornado.api.types.vectors;

import uk.ac.manchester.tornado.api.types.HalfFloat;

/** Two IEEE halves. */
public final class Half2 {
  private final HalfFloat low;
  private final HalfFloat high;

  /** These two. */
  public Half2(HalfFloat x, HalfFloat y) {
    low = x;
    high = y;
  }

  /** The first as a float. */
  public static float lowFloat(Half2 a) {
    return a.low.getFloat32();
  }

  /** The second as a float. */
  public static float highFloat(Half2 a) {
    return a.high.getFloat32();
  }
}
