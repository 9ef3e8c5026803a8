package dev.muninn.decode;

import dev.muninn.backend.LogitComparison;
import java.util.Arrays;

/** Exit criteria that read the next-token distribution, of a group of rows that of the last. */
final class LogitExits {
  private LogitExits() {}

  /** Reads the next-token distribution. */
  private abstract static class LogitCriterion extends Below implements SummedCriterion {
    LogitCriterion(double threshold) {
      super(threshold);
    }

    @Override
    public final void begin(float[] latents, int rows, int width) {
      begin(rows);
    }

    @Override
    public final double measure(float[] sums, int first, int rows) {
      return measure(sums, first * LogitComparison.SUMS);
    }

    /** The value, of the sums from an index on. */
    abstract double measure(float[] sums, int at);

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
    public void begin(int rows) {
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
      return change(entropy);
    }

    @Override
    double measure(float[] sums, int at) {
      return change(sums[at + LogitComparison.ENTROPY]);
    }

    private double change(double entropy) {
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
    private final int vocabularySize;

    /** Logarithms of what was before; none before the first measure from logits. */
    private double[] previous = new double[0];

    private double[] current = new double[0];
    private boolean fresh;

    Divergence(double threshold, int vocabularySize, boolean minimumProbability) {
      super(threshold);
      this.minimumProbability = minimumProbability;
      this.vocabularySize = vocabularySize;
    }

    @Override
    public void begin(int rows) {
      fresh = true;
    }

    @Override
    public boolean likelyOnly() {
      return minimumProbability;
    }

    @Override
    double measure(float[] sums, int at) {
      return sums[at + LogitComparison.DIVERGENCE];
    }

    @Override
    public double measure(float[] latents, int rows, int width, float[] logits) {
      if (fresh) {
        start();
      }
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

    /** Where a device compares, nobody needs these. */
    private void start() {
      fresh = false;
      if (previous.length == 0) {
        previous = new double[vocabularySize];
        current = new double[vocabularySize];
      }
      Arrays.fill(previous, -Math.log(vocabularySize));
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
    public void begin(int rows) {
      previous = -1;
      stable = 0;
    }

    @Override
    public double measure(float[] latents, int rows, int width, float[] logits) {
      return count(argmax(logits));
    }

    @Override
    double measure(float[] sums, int at) {
      return count((int) sums[at + LogitComparison.LIKELIEST]);
    }

    private double count(int best) {
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
