package dev.muninn.trace;

import java.util.Arrays;

/**
 * Whether a thought ends at the same place wherever it began (arXiv 2502.05171, section 6): K ends
 * of each position against the distance between different tokens, and what the model would say at
 * each. Distances are root mean squares over pairs of ends s_r.
 */
public final class PathIndependence {
  private final int starts;
  private final double[] startDistances;
  private final double[] tokenDistances;
  private final double[] divergences;
  private final double[] agreements;

  private PathIndependence(int starts, int positions) {
    this.starts = starts;
    this.startDistances = new double[positions];
    this.tokenDistances = new double[positions];
    this.divergences = new double[positions];
    this.agreements = new double[positions];
  }

  /** Measures the distances; the distributions are for {@link #setDistributions}. */
  static PathIndependence measure(LatentFile latents) {
    int positions = latents.positions();
    int starts = latents.starts();
    int width = latents.width();
    PathIndependence result = new PathIndependence(starts, positions);
    float[] end = new float[width];
    double[] sum = new double[width];
    for (int start = 0; start < starts; start++) {
      Arrays.fill(sum, 0);
      double norms = 0;
      for (int position = 0; position < positions; position++) {
        latents.readEnd(start, position, end);
        for (int i = 0; i < width; i++) {
          sum[i] += end[i];
          norms += (double) end[i] * end[i];
        }
      }
      for (int position = 0; position < positions; position++) {
        latents.readEnd(start, position, end);
        double norm = 0;
        double product = 0;
        for (int i = 0; i < width; i++) {
          norm += (double) end[i] * end[i];
          product += end[i] * sum[i];
        }
        // The sum over all others of |x - y|^2, by the sums of y and |y|^2.
        double squares = Math.max(0, positions * norm + norms - 2 * product);
        result.tokenDistances[position] += squares / (positions - 1.0) / starts;
      }
    }
    double[] spread = new double[width];
    for (int position = 0; position < positions; position++) {
      Arrays.fill(sum, 0);
      Arrays.fill(spread, 0);
      for (int start = 0; start < starts; start++) {
        latents.readEnd(start, position, end);
        for (int i = 0; i < width; i++) {
          // By Welford's update: the ends may be nearly equal.
          double before = end[i] - sum[i];
          sum[i] += before / (start + 1);
          spread[i] += before * (end[i] - sum[i]);
        }
      }
      double squares = 0;
      for (double value : spread) {
        squares += value;
      }
      // Over pairs, the mean square of the distance is twice the variance.
      result.startDistances[position] = Math.sqrt(2 * squares / (starts - 1));
      result.tokenDistances[position] = Math.sqrt(result.tokenDistances[position]);
    }
    return result;
  }

  /**
   * Notes what a position would say at each end.
   *
   * @param logProbabilities the logarithms of each start's next-token probabilities, one behind the
   *     other
   */
  void setDistributions(int position, float[] logProbabilities, int vocabulary) {
    divergences[position] = Distribution.jensenShannon(logProbabilities, starts, vocabulary);
    int[] best = new int[starts];
    for (int start = 0; start < starts; start++) {
      best[start] = Distribution.argmax(logProbabilities, start * vocabulary, vocabulary);
    }
    int most = 0;
    for (int token : best) {
      int count = 0;
      for (int other : best) {
        count += other == token ? 1 : 0;
      }
      most = Math.max(most, count);
    }
    agreements[position] = (double) most / starts;
  }

  /** Number of initial states, K. */
  public int starts() {
    return starts;
  }

  /** Root mean square distance between the K ends of a position. */
  public double startDistance(int position) {
    return startDistances[position];
  }

  /**
   * Root mean square distance from the ends of a position to those of the others from the same
   * start; not a number for a prompt of one token.
   */
  public double tokenDistance(int position) {
    return tokenDistances[position];
  }

  /**
   * Jensen-Shannon divergence of the K next-token distributions of a position, in nats, from 0 to
   * log K.
   */
  public double divergence(int position) {
    return divergences[position];
  }

  /** Share of the starts that agree on the likeliest next token, from 1 / K to 1. */
  public double agreement(int position) {
    return agreements[position];
  }
}
