package dev.muninn.prepare;

/**
 * Second moments of a matrix' inputs, sum over rows of x_i x_j, for inputs of the same band: bands
 * of {@link #BAND} inputs, the last perhaps shorter.
 */
final class InputMoments {
  /** Inputs whose errors may make up for each other: whole blocks. */
  static final int BAND = 128;

  private final int inputs;

  /** By band, row by row; only j >= i is filled. */
  private final float[][] bands;

  InputMoments(int inputs) {
    this.inputs = inputs;
    this.bands = new float[Math.ceilDiv(inputs, BAND)][];
    for (int band = 0; band < bands.length; band++) {
      bands[band] = new float[size(band) * size(band)];
    }
  }

  int inputs() {
    return inputs;
  }

  /** Bands of the inputs. */
  int bands() {
    return bands.length;
  }

  /** Inputs of a band. */
  int size(int band) {
    return Math.min(BAND, inputs - BAND * band);
  }

  /** Adds a row. */
  void add(float[] values, int from) {
    for (int band = 0; band < bands.length; band++) {
      int size = size(band);
      int first = from + BAND * band;
      float[] sums = bands[band];
      for (int i = 0; i < size; i++) {
        float value = values[first + i];
        int at = i * size;
        for (int j = i; j < size; j++) {
          sums[at + j] += value * values[first + j];
        }
      }
    }
  }

  /** The sum over rows of x_i x_j of two inputs of a band, i no more than j. */
  float get(int band, int i, int j) {
    return bands[band][i * size(band) + j];
  }
}
