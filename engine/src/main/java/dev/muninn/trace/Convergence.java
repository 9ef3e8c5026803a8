package dev.muninn.trace;

import java.util.OptionalInt;

/**
 * How a position's thought comes to rest (arXiv 2502.05171, section 6, "context-dependent
 * convergence").
 *
 * @param distances norm(s_i - s_r), [r + 1]
 * @param relativeChanges norm(s_i - s_(i-1)) / norm(s_i), [r + 1]; not a number at i = 0, and where
 *     a state is zero and does not change
 */
public record Convergence(double[] distances, double[] relativeChanges) {

  /** Measures a trajectory, the states s_0 to s_r, [r + 1][h]. */
  public static Convergence of(float[][] states) {
    int last = states.length - 1;
    double[] distances = new double[states.length];
    double[] changes = new double[states.length];
    changes[0] = Double.NaN;
    for (int i = 0; i < states.length; i++) {
      distances[i] = distance(states[i], states[last]);
      if (i > 0) {
        changes[i] = distance(states[i], states[i - 1]) / norm(states[i]);
      }
    }
    return new Convergence(distances, changes);
  }

  private static double distance(float[] x, float[] y) {
    double squares = 0;
    for (int i = 0; i < x.length; i++) {
      double difference = (double) x[i] - y[i];
      squares += difference * difference;
    }
    return Math.sqrt(squares);
  }

  private static double norm(float[] x) {
    double squares = 0;
    for (float value : x) {
      squares += (double) value * value;
    }
    return Math.sqrt(squares);
  }

  /**
   * The recurrence at which the position settles: the first from which on every relative change, to
   * the last recurrence, is below the threshold. Empty if the last one is not.
   */
  public OptionalInt settled(double threshold) {
    int first = relativeChanges.length;
    while (first > 1 && relativeChanges[first - 1] < threshold) {
      first--;
    }
    return first < relativeChanges.length ? OptionalInt.of(first) : OptionalInt.empty();
  }
}
