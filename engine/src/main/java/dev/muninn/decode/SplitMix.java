package dev.muninn.decode;

/** Random numbers by SplitMix64 (Steele, Lea and Flood, 2014), without allocation. */
public final class SplitMix {
  private static final long INCREMENT = 0x9E3779B97F4A7C15L;

  private long state;

  /** Begins the sequence of a seed; neighbouring seeds have unrelated sequences. */
  public void seed(long seed) {
    state = mix(seed);
  }

  /** Begins the sequence of a seed and a number. */
  public void seed(long seed, long number) {
    state = mix(seed * INCREMENT + mix(number + 1));
  }

  /** Any of 64 bits. */
  long next() {
    state += INCREMENT;
    return mix(state);
  }

  /** From 0 (inclusive) to 1 (exclusive). */
  public double uniform() {
    return (next() >>> 11) * 0x1p-53;
  }

  /** From 0 (inclusive) to a bound (exclusive). */
  public int below(int bound) {
    return (int) (uniform() * bound);
  }

  /** Standard normal, by Box and Muller. */
  public double normal() {
    double radius = Math.sqrt(-2 * Math.log(1 - uniform()));
    return radius * Math.cos(2 * Math.PI * uniform());
  }

  /** Standard normal, drawn again beyond a bound. */
  public double truncatedNormal(double bound) {
    while (true) {
      double value = normal();
      if (Math.abs(value) <= bound) {
        return value;
      }
    }
  }

  private static long mix(long value) {
    value = (value ^ value >>> 30) * 0xBF58476D1CE4E5B9L;
    value = (value ^ value >>> 27) * 0x94D049BB133111EBL;
    return value ^ value >>> 31;
  }
}
