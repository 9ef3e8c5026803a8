package uk.ac.manchester.tornado.api.math;

/** Functions of 32-bit floats that devices have. */
public final class TornadoMath {
  private TornadoMath() {}

  /** The absolute value. */
  public static float abs(float value) {
    return Math.abs(value);
  }

  /** The greater of two. */
  public static float max(float a, float b) {
    return Math.max(a, b);
  }

  /** The exponential. */
  public static float exp(float value) {
    return (float) Math.exp(value);
  }

  /** The natural logarithm. */
  public static float log(float value) {
    return (float) Math.log(value);
  }

  /** The square root. */
  public static float sqrt(float value) {
    return (float) Math.sqrt(value);
  }
}
