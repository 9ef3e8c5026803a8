package dev.muninn.prepare;

import java.util.List;

/**
 * How weights that are rounded later make up for the error of one that was rounded, as in GPTQ
 * (arXiv 2210.17323): what an error adds to the outputs is taken back, as far as the inputs go
 * together, by the weights behind it in its band.
 *
 * <p>With H the second moments of a band's inputs, H = R R^T for an upper triangular R, and U the
 * inverse of R: an error of weight i costs R_ii^2 once the weights behind it have made up for what
 * they can, and those change by U_ij / U_ii times the error.
 */
final class ErrorFeedback {
  /** What is added to all of H's diagonal, as a share of its mean: unseen rows are different. */
  private static final double DAMPING = 0.01;

  private final float[] importance;

  /** By input: how much of its error each of the band's inputs behind it takes. */
  private final float[][] shares;

  /**
   * Learns from moments.
   *
   * @param parts of the matrix' inputs, in order
   */
  ErrorFeedback(List<InputMoments> parts) {
    int inputs = parts.stream().mapToInt(InputMoments::inputs).sum();
    importance = new float[inputs];
    shares = new float[inputs][];
    int from = 0;
    for (InputMoments part : parts) {
      for (int band = 0; band < part.bands(); band++) {
        learn(part, band, from);
        from += part.size(band);
      }
    }
  }

  private void learn(InputMoments part, int band, int from) {
    int size = part.size(band);
    double[][] r = root(part, band);
    double[][] u = r == null ? null : inverse(r);
    for (int i = 0; i < size; i++) {
      float[] share = new float[u == null ? 0 : size - i - 1];
      for (int j = 0; j < share.length; j++) {
        share[j] = (float) (u[i][i + 1 + j] / u[i][i]);
      }
      shares[from + i] = share;
      importance[from + i] = u == null ? 1 : (float) (r[i][i] * r[i][i]);
    }
  }

  /** R; null if the moments are all zero, or not finite. */
  private static double[][] root(InputMoments part, int band) {
    int size = part.size(band);
    double trace = 0;
    for (int i = 0; i < size; i++) {
      trace += part.get(band, i, i);
    }
    if (!(trace > 0) || Double.isInfinite(trace)) {
      return null;
    }
    // Of rows that are one on average, for R_ii^2 to fit a float.
    double scale = size / trace;
    double[][] r = new double[size][size];
    for (int j = size - 1; j >= 0; j--) {
      for (int i = j; i >= 0; i--) {
        double sum = part.get(band, i, j) * scale + (i == j ? DAMPING : 0);
        for (int k = j + 1; k < size; k++) {
          sum -= r[i][k] * r[j][k];
        }
        if (i < j) {
          r[i][j] = sum / r[j][j];
        } else if (sum > 0) {
          r[j][j] = Math.sqrt(sum);
        } else {
          return null;
        }
      }
    }
    return r;
  }

  private static double[][] inverse(double[][] r) {
    int size = r.length;
    double[][] u = new double[size][size];
    for (int j = 0; j < size; j++) {
      u[j][j] = 1 / r[j][j];
      for (int i = j - 1; i >= 0; i--) {
        double sum = 0;
        for (int k = i + 1; k <= j; k++) {
          sum += r[i][k] * u[k][j];
        }
        u[i][j] = -sum / r[i][i];
      }
    }
    return u;
  }

  /** What an error of an input's weight costs. */
  float importance(int input) {
    return importance[input];
  }

  /** Changes the weights that are rounded later for the error of one. */
  void spread(int input, float error, float[] weights) {
    float[] share = shares[input];
    for (int j = 0; j < share.length; j++) {
      weights[input + 1 + j] -= error * share[j];
    }
  }
}
