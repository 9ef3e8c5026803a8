package dev.muninn.vector;

import dev.muninn.model.RavenConfig;

/**
 * Cosines and sines of the rotary position embedding for every position and column of a head, in
 * f32 as the model was trained: both columns of a pair have its cosine; the even one has the sine
 * negated. Shape of each: [positions, head size]. As long as the longest sequence so far, whatever
 * context the model would allow.
 */
public final class RotaryTable {
  float[] cosines = new float[0];
  float[] sines = cosines;
  private final RavenConfig config;

  /** The table of a model, of no positions yet. */
  public RotaryTable(RavenConfig config) {
    this.config = config;
  }

  /** Makes the table long enough for so many positions. */
  public void extend(int positions) {
    int headSize = config.headSize();
    if (cosines.length >= (long) positions * headSize) {
      return;
    }
    float[] longerCosines = new float[Math.multiplyExact(positions, headSize)];
    float[] longerSines = new float[longerCosines.length];
    for (int pair = 0; pair < headSize / 2; pair++) {
      float exponent = 2f * pair / headSize;
      float frequency = 1 / (float) Math.pow(config.ropeBase(), exponent);
      for (int position = 0; position < positions; position++) {
        float angle = position * frequency;
        int at = offset(position) + 2 * pair;
        longerCosines[at] = (float) Math.cos(angle);
        longerCosines[at + 1] = longerCosines[at];
        longerSines[at + 1] = (float) Math.sin(angle);
        longerSines[at] = -longerSines[at + 1];
      }
    }
    cosines = longerCosines;
    sines = longerSines;
  }

  /** Cosines by position and column, for as many positions as the table has now. */
  public float[] cosines() {
    return cosines;
  }

  /** Sines by position and column, negative in even columns. */
  public float[] sines() {
    return sines;
  }

  /** Cosine of the angle by which a pair of columns is turned. */
  public float cosine(int position, int pair) {
    return cosines[offset(position) + 2 * pair];
  }

  /** Sine of the angle by which a pair of columns is turned. */
  public float sine(int position, int pair) {
    return sines[offset(position) + 2 * pair + 1];
  }

  /** Index of a position's first column. */
  public int offset(int position) {
    return position * config.headSize();
  }
}
