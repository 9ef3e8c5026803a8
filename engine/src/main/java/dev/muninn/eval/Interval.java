package dev.muninn.eval;

/**
 * A 95 % confidence interval.
 *
 * @param low lower end
 * @param high upper end; both are NaN where nothing is known
 */
public record Interval(double low, double high) {
  /** Standard deviations on either side that hold 95 % of a normal distribution. */
  private static final double DEVIATIONS = 1.959963984540054;

  /** Nothing is known. */
  static final Interval UNKNOWN = new Interval(Double.NaN, Double.NaN);

  /**
   * Of a share of successes (Wilson, 1927): stays within 0 and 1, and holds for few trials and for
   * shares near the ends.
   *
   * @param successes from 0 to the trials; trials that were partly successful may count as parts,
   *     for which the interval is rather too wide
   * @param trials at least 1
   */
  public static Interval wilson(double successes, int trials) {
    if (trials < 1 || !(successes >= 0 && successes <= trials)) {
      throw new IllegalArgumentException(successes + " successes in " + trials + " trials");
    }
    double share = successes / trials;
    double square = DEVIATIONS * DEVIATIONS;
    double center = share + square / (2 * trials);
    double half =
        DEVIATIONS * Math.sqrt(share * (1 - share) / trials + square / (4.0 * trials * trials));
    double scale = 1 + square / trials;
    // Rounding must not put an end beyond the share itself.
    return new Interval(
        Math.max(0, Math.min(share, (center - half) / scale)),
        Math.min(1, Math.max(share, (center + half) / scale)));
  }

  /** Of a mean with a normal error. */
  static Interval normal(double mean, double standardError) {
    return new Interval(mean - DEVIATIONS * standardError, mean + DEVIATIONS * standardError);
  }
}
