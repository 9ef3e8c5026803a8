package dev.muninn.cli.bench;

import java.util.Arrays;

/** Numbers that were measured under the same conditions. */
public final class Sample {
  private final double[] values;
  private final double[] sorted;

  /** A sample of at least one number. */
  public Sample(double... values) {
    this.values = values.clone();
    this.sorted = values.clone();
    Arrays.sort(sorted);
  }

  /** The numbers in the order in which they were measured. */
  double[] values() {
    return values.clone();
  }

  double mean() {
    double sum = 0;
    for (double value : values) {
      sum += value;
    }
    return sum / values.length;
  }

  /** Standard deviation of the population, estimated with n - 1; 0 of a single number. */
  double deviation() {
    if (values.length == 1) {
      return 0;
    }
    double mean = mean();
    double sum = 0;
    for (double value : values) {
      sum += (value - mean) * (value - mean);
    }
    return Math.sqrt(sum / (values.length - 1));
  }

  /** The number that a percentage of the sample does not exceed, between two of them by rule. */
  public double percentile(double percent) {
    double rank = percent / 100 * (sorted.length - 1);
    int below = (int) rank;
    int above = Math.min(below + 1, sorted.length - 1);
    return sorted[below] + (rank - below) * (sorted[above] - sorted[below]);
  }
}
