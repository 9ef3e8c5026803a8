package dev.muninn.decode;

import dev.muninn.backend.LatentComparison;

/** Exit criteria that compare latent states from check to check. */
final class LatentExits {
  private LatentExits() {}

  /** Keeps the latents of the check before. */
  private abstract static class LatentCriterion extends Below implements SummedCriterion {
    private float[] previous = new float[0];

    LatentCriterion(double threshold) {
      super(threshold);
    }

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

    @Override
    public void begin(int rows) {
      // The device keeps the states.
    }

    @Override
    public double measure(float[] sums, int first, int rows) {
      double sum = 0;
      for (int row = first; row < first + rows; row++) {
        int from = row * LatentComparison.SUMS;
        sum +=
            compare(
                sums[from + LatentComparison.CHANGE],
                sums[from + LatentComparison.GROWTH],
                sums[from + LatentComparison.SQUARE]);
      }
      return value(sum / rows);
    }

    /** Compares one row with itself before, by its sums. */
    abstract double compare(double change, double growth, double square);

    /** Compares one row with itself before. */
    abstract double compare(float[] latents, float[] previous, int from, int width);

    double value(double mean) {
      return mean;
    }
  }

  /** norm(s_i - s_{i-1}) / norm(s_i), the mean over rows. */
  static final class LatentDifference extends LatentCriterion {
    LatentDifference(double threshold) {
      super(threshold);
    }

    @Override
    double compare(float[] latents, float[] previous, int from, int width) {
      return relativeChange(latents, from, previous, from, width);
    }

    @Override
    double compare(double change, double growth, double square) {
      return Math.sqrt(change) / Math.sqrt(square);
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

  /** 1 - cos(s_i, s_{i-1}), of the mean cosine over rows; NaN while the latter is zero. */
  static final class Cosine extends LatentCriterion {
    Cosine(double threshold) {
      super(threshold);
    }

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

    /** From the distance, which floats lose little of; a difference of cosines would be noise. */
    @Override
    double compare(double change, double growth, double square) {
      if (square <= growth) {
        // The state before was zero. What rounding leaves of 0 / 0 may be infinite.
        return Double.NaN;
      }
      double norm = Math.sqrt(square);
      double previousNorm = Math.sqrt(square - growth);
      double longer = growth / (norm + previousNorm);
      return 1 - (change - longer * longer) / (2 * norm * previousNorm);
    }

    @Override
    double value(double mean) {
      return 1 - mean;
    }
  }
}
