package dev.muninn.trace;

import dev.muninn.backend.InferenceException;

/** Measures of next-token distributions, in nats. Allocates nothing. */
public final class Distribution {
  private Distribution() {}

  /**
   * Turns logits into the logarithms of their softmax, in place.
   *
   * @param offset of the first of {@code count} logits
   * @throws InferenceException if one of them is NaN
   */
  public static void logSoftmax(float[] logits, int offset, int count) {
    double greatest = Double.NEGATIVE_INFINITY;
    boolean numbers = true;
    for (int i = offset; i < offset + count; i++) {
      numbers &= !Float.isNaN(logits[i]);
      greatest = Math.max(greatest, logits[i]);
    }
    double sum = 0;
    for (int i = offset; i < offset + count; i++) {
      sum += Math.exp(logits[i] - greatest);
    }
    double normalizer = greatest + Math.log(sum);
    if (!numbers || !Double.isFinite(normalizer)) {
      throw new InferenceException("the model computed a logit that is not a number");
    }
    for (int i = offset; i < offset + count; i++) {
      logits[i] = (float) (logits[i] - normalizer);
    }
  }

  /** -sum p log p, of log p. */
  static double entropy(float[] logProbabilities, int offset, int count) {
    double entropy = 0;
    for (int i = offset; i < offset + count; i++) {
      double probability = Math.exp(logProbabilities[i]);
      if (probability > 0) {
        entropy -= probability * logProbabilities[i];
      }
    }
    return entropy;
  }

  /** KL(p || q), of log p and log q; at least 0. */
  public static double divergence(float[] p, int pOffset, float[] q, int qOffset, int count) {
    double divergence = 0;
    for (int i = 0; i < count; i++) {
      double probability = Math.exp(p[pOffset + i]);
      if (probability > 0) {
        divergence += probability * ((double) p[pOffset + i] - q[qOffset + i]);
      }
    }
    // Rounding can leave a hair below.
    return Math.max(0, divergence);
  }

  /**
   * The Jensen-Shannon divergence of several distributions: the mean of KL(p_k || mean of all),
   * from 0 to the logarithm of their number.
   *
   * @param logProbabilities log p_k of {@code count} tokens each, one behind the other
   */
  static double jensenShannon(float[] logProbabilities, int distributions, int count) {
    double divergence = 0;
    for (int token = 0; token < count; token++) {
      double mean = 0;
      double entropies = 0;
      for (int k = 0; k < distributions; k++) {
        double logProbability = logProbabilities[k * count + token];
        double probability = Math.exp(logProbability);
        mean += probability;
        if (probability > 0) {
          entropies += probability * logProbability;
        }
      }
      mean /= distributions;
      if (mean > 0) {
        divergence += entropies / distributions - mean * Math.log(mean);
      }
    }
    return Math.max(0, divergence);
  }

  /** The index of the greatest value, relative to the offset; the first of equals. */
  static int argmax(float[] values, int offset, int count) {
    int best = 0;
    for (int i = 1; i < count; i++) {
      if (values[offset + i] > values[offset + best]) {
        best = i;
      }
    }
    return best;
  }

  /** Fills in the indices of the greatest values, the greatest first; the first of equals. */
  static void greatest(float[] values, int offset, int count, int[] indices, int from, int wanted) {
    int found = 0;
    for (int i = 0; i < count; i++) {
      float value = values[offset + i];
      if (found == wanted && value <= values[offset + indices[from + wanted - 1]]) {
        continue;
      }
      int at = found < wanted ? found++ : wanted - 1;
      while (at > 0 && values[offset + indices[from + at - 1]] < value) {
        indices[from + at] = indices[from + at - 1];
        at--;
      }
      indices[from + at] = i;
    }
  }
}
