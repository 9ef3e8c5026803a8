package dev.muninn.decode;

import java.util.Arrays;

/** Exit criteria that read the next-token distribution, of a group of rows that of the last. */
final class LogitExits {
  private LogitExits() {}

  /** Reads the next-token distribution. */
  private abstract static class LogitCriterion extends Below {
    LogitCriterion(double threshold) {
      super(threshold);
    }

    @Override
    public boolean readsLogits() {
      return true;
    }

    static int argmax(float[] logits) {
      int best = 0;
      for (int token = 1; token < logits.length; token++) {
        if (logits[token] > logits[best]) {
          best = token;
        }
      }
      return best;
    }

    /** Greatest logit plus the logarithm of the sum of exponentials relative to it. */
    static double logNormalizer(float[] logits) {
      double greatest = logits[argmax(logits)];
      double sum = 0;
      for (float logit : logits) {
        sum += Math.exp(logit - greatest);
      }
      return greatest + Math.log(sum);
    }
  }

  /** |H_i - H_{i-1}| of the next-token entropies, the first compared with 100. */
  static final class EntropyDifference extends LogitCriterion {
    private double previous;

    EntropyDifference(double threshold) {
      super(threshold);
    }

    @Override
    public void begin(float[] latents, int rows, int width) {
      previous = 100;
    }

    @Override
    public double measure(float[] latents, int rows, int width, float[] logits) {
      double normalizer = logNormalizer(logits);
      double entropy = 0;
      for (float logit : logits) {
        double probability = Math.exp(logit - normalizer);
        entropy -= probability * Math.log(probability + 1e-10);
      }
      double value = Math.abs(entropy - previous);
      previous = entropy;
      return value;
    }
  }

  /**
   * KL(previous || current) of the next-token distributions, the first compared with uniform. With
   * min-p, tokens below a tenth of the likeliest count as 1 / V each, and all are normalised again.
   */
  static final class Divergence extends LogitCriterion {
    private static final double MINIMUM_SHARE = 0.1;

    private final boolean minimumProbability;
    private final double[] previous;
    private final double[] current;

    Divergence(double threshold, int vocabularySize, boolean minimumProbability) {
      super(threshold);
      this.minimumProbability = minimumProbability;
      this.previous = new double[vocabularySize];
      this.current = new double[vocabularySize];
    }

    @Override
    public void begin(float[] latents, int rows, int width) {
      Arrays.fill(previous, -Math.log(previous.length));
    }

    @Override
    public double measure(float[] latents, int rows, int width, float[] logits) {
      double normalizer = logNormalizer(logits);
      double greatest = Double.NEGATIVE_INFINITY;
      for (int token = 0; token < logits.length; token++) {
        current[token] = logits[token] - normalizer;
        greatest = Math.max(greatest, current[token]);
      }
      if (minimumProbability) {
        filter(greatest);
      }
      double divergence = 0;
      for (int token = 0; token < logits.length; token++) {
        divergence += Math.exp(previous[token]) * (previous[token] - current[token]);
        previous[token] = current[token];
      }
      return divergence;
    }

    private void filter(double greatest) {
      double bound = greatest + Math.log(MINIMUM_SHARE);
      double uniform = -Math.log(current.length);
      double sum = 0;
      for (int token = 0; token < current.length; token++) {
        if (current[token] < bound) {
          current[token] = uniform;
        }
        sum += Math.exp(current[token]);
      }
      double normalizer = Math.log(sum);
      for (int token = 0; token < current.length; token++) {
        current[token] -= normalizer;
      }
    }
  }

  /** How many recurrences in a row kept the same likeliest token; leaves at the threshold. */
  static final class ArgmaxStability extends LogitCriterion {
    private int previous;
    private int stable;

    ArgmaxStability(double threshold) {
      super(threshold);
    }

    @Override
    public void begin(float[] latents, int rows, int width) {
      previous = -1;
      stable = 0;
    }

    @Override
    public double measure(float[] latents, int rows, int width, float[] logits) {
      int best = argmax(logits);
      stable = best == previous ? stable + 1 : 0;
      previous = best;
      return stable;
    }

    @Override
    public boolean satisfied(double value) {
      return value >= threshold;
    }
  }
}
