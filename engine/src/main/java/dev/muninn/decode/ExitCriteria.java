package dev.muninn.decode;

import dev.muninn.model.RecurrentModel;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.IntFunction;

/** The exit criteria of arXiv 2502.05171, section 6.1, and of the public model file. */
public final class ExitCriteria {

  private record Kind(double threshold, IntFunction<DoubleCriterion> make) {}

  private static final Map<String, Kind> KINDS = new LinkedHashMap<>();

  static {
    KINDS.put("entropy-diff", new Kind(1e-3, EntropyDifference::new));
    KINDS.put("latent-diff", new Kind(0.03, vocabulary -> new LatentDifference()));
    KINDS.put("cosine", new Kind(1e-3, vocabulary -> new Cosine()));
    KINDS.put("kl", new Kind(1e-3, vocabulary -> new Divergence(vocabulary, false)));
    KINDS.put("minp-kl", new Kind(1e-5, vocabulary -> new Divergence(vocabulary, true)));
    KINDS.put("argmax-stability", new Kind(5, vocabulary -> new ArgmaxStability()));
  }

  private ExitCriteria() {}

  /** Makes the criterion of each group of rows of a model. */
  @FunctionalInterface
  public interface Factory {
    ExitCriterion create(RecurrentModel model);
  }

  /**
   * Reads {@code NAME} or {@code NAME:THRESHOLD}; the names are entropy-diff, latent-diff, cosine,
   * kl, minp-kl and argmax-stability.
   *
   * @throws IllegalArgumentException if there is no such criterion, or the threshold is no positive
   *     number (for argmax-stability a whole one)
   */
  public static Factory parse(String text) {
    int colon = text.indexOf(':');
    String name = colon < 0 ? text : text.substring(0, colon);
    Kind kind = KINDS.get(name);
    if (kind == null) {
      throw new IllegalArgumentException(
          "exit criterion \""
              + name
              + "\" is none of "
              + String.join(", ", KINDS.keySet())
              + ", none");
    }
    double threshold = kind.threshold();
    if (colon >= 0) {
      threshold = threshold(name, text.substring(colon + 1));
    }
    double chosen = threshold;
    return model -> {
      DoubleCriterion criterion = kind.make().apply(model.vocabularySize());
      criterion.threshold = chosen;
      return criterion;
    };
  }

  private static double threshold(String name, String text) {
    double value;
    try {
      value = Double.parseDouble(text);
    } catch (NumberFormatException e) {
      value = Double.NaN;
    }
    boolean whole = name.equals("argmax-stability");
    if (!(value > 0) || Double.isInfinite(value) || whole && value != Math.rint(value)) {
      throw new IllegalArgumentException(
          "exit threshold \""
              + text
              + "\" of "
              + name
              + " is no positive "
              + (whole ? "whole number" : "number"));
    }
    return value;
  }

  /** Leaves below a threshold. */
  private abstract static class DoubleCriterion implements ExitCriterion {
    double threshold;

    @Override
    public boolean satisfied(double value) {
      return value < threshold;
    }
  }

  /** Keeps the latents of the check before. */
  private abstract static class LatentCriterion extends DoubleCriterion {
    private float[] previous = new float[0];

    @Override
    public boolean readsLogits() {
      return false;
    }

    @Override
    public void begin(float[] latents, int rows, int width) {
      if (previous.length < rows * width) {
        previous = new float[rows * width];
      }
      System.arraycopy(latents, 0, previous, 0, rows * width);
    }

    @Override
    public double measure(float[] latents, int rows, int width, float[] logits) {
      double sum = 0;
      for (int row = 0; row < rows; row++) {
        sum += compare(latents, previous, row * width, width);
      }
      System.arraycopy(latents, 0, previous, 0, rows * width);
      return value(sum / rows);
    }

    /** Compares one row with itself before. */
    abstract double compare(float[] latents, float[] previous, int from, int width);

    double value(double mean) {
      return mean;
    }
  }

  /** norm(s_i - s_{i-1}) / norm(s_i), the mean over rows. */
  private static final class LatentDifference extends LatentCriterion {
    @Override
    double compare(float[] latents, float[] previous, int from, int width) {
      return relativeChange(latents, from, previous, from, width);
    }
  }

  /** norm(x - y) / norm(x). */
  static double relativeChange(float[] x, int xFrom, float[] y, int yFrom, int width) {
    double difference = 0;
    double norm = 0;
    for (int i = 0; i < width; i++) {
      double change = x[xFrom + i] - y[yFrom + i];
      difference += change * change;
      norm += (double) x[xFrom + i] * x[xFrom + i];
    }
    return Math.sqrt(difference) / Math.sqrt(norm);
  }

  /** 1 - cos(s_i, s_{i-1}), of the mean cosine over rows; no number while the latter is zero. */
  private static final class Cosine extends LatentCriterion {
    @Override
    double compare(float[] latents, float[] previous, int from, int width) {
      double product = 0;
      double norm = 0;
      double previousNorm = 0;
      for (int i = from; i < from + width; i++) {
        product += (double) latents[i] * previous[i];
        norm += (double) latents[i] * latents[i];
        previousNorm += (double) previous[i] * previous[i];
      }
      return product / Math.sqrt(norm) / Math.sqrt(previousNorm);
    }

    @Override
    double value(double mean) {
      return 1 - mean;
    }
  }

  /** Reads the next-token distribution. */
  private abstract static class LogitCriterion extends DoubleCriterion {
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
  private static final class EntropyDifference extends LogitCriterion {
    private double previous;

    EntropyDifference(int vocabularySize) {}

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
  private static final class Divergence extends LogitCriterion {
    private static final double MINIMUM_SHARE = 0.1;

    private final boolean minimumProbability;
    private final double[] previous;
    private final double[] current;

    Divergence(int vocabularySize, boolean minimumProbability) {
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
  private static final class ArgmaxStability extends LogitCriterion {
    private int previous;
    private int stable;

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
