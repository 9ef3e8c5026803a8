package dev.muninn.vector;

/**
 * Integers from 0 to 2^24 as factors of floats. Floats that small are evenly spaced: read as the
 * bits of a float, such an integer is itself times 2^-149, without an instruction for it. Products
 * are exact as ever, and the activations' and the outputs' factors move them to where floats are
 * precise.
 *
 * <p>Some processors multiply subnormal floats a hundred times more slowly than others. There the
 * integers are converted. Outputs are the same to the last bit, as long as activations are below
 * 2^48 and outputs above 2^-57.
 */
final class SmallIntegers {
  /** Whether integers stand for themselves. A constant, so that C2 drops what is not wanted. */
  static final boolean IN_PLACE = subnormalsAreFast();

  /** What activations are multiplied by. */
  static final float ACTIVATIONS = IN_PLACE ? 0x1p80f : 1;

  /** What sums of products are multiplied by afterwards. */
  static final float OUTPUTS = IN_PLACE ? 0x1p69f : 1;

  private SmallIntegers() {}

  /** The float that stands for an integer. */
  static float toFloat(int integer) {
    return IN_PLACE ? Float.intBitsToFloat(integer) : integer;
  }

  private static boolean subnormalsAreFast() {
    if (Boolean.getBoolean("muninn.test.slowSubnormals")) {
      return false;
    }
    long normal = Long.MAX_VALUE;
    long subnormal = Long.MAX_VALUE;
    for (int attempt = 0; attempt < 5; attempt++) {
      normal = Math.min(normal, nanoseconds(1));
      subnormal = Math.min(subnormal, nanoseconds(Float.MIN_VALUE));
    }
    return subnormal < 2 * normal;
  }

  private static long nanoseconds(float factor) {
    float sum = 0;
    long start = System.nanoTime();
    for (int i = 1; i <= 500; i++) {
      sum += factor * (0x1p80f * i);
    }
    long end = System.nanoTime();
    return sum > 0 ? end - start : Long.MAX_VALUE;
  }
}
