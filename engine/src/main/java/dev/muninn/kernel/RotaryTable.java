package dev.muninn.kernel;

import dev.muninn.model.Rotary;

/**
 * Cosines and sines of a rotary position embedding for every position and column of a head, in f32
 * as models are trained: both columns of a pair have its cosine; the first one has the sine
 * negated. Shape of each: [positions, head size]. As long as the longest sequence so far, whatever
 * context the model would allow.
 */
public final class RotaryTable {
  private float[] cosines = new float[0];
  private float[] sines = cosines;
  private final Rotary rotary;
  private final int headSize;

  /** The table of a rotary embedding, of no positions yet. */
  public RotaryTable(Rotary rotary) {
    this.rotary = rotary;
    this.headSize = rotary.headSize();
  }

  /** Which columns are turned together. */
  public Rotary.Layout layout() {
    return rotary.layout();
  }

  /** Makes the table long enough for so many positions. */
  public void extend(int positions) {
    if (cosines.length >= (long) positions * headSize) {
      return;
    }
    float[] longerCosines = new float[Math.multiplyExact(positions, headSize)];
    float[] longerSines = new float[longerCosines.length];
    for (int pair = 0; pair < headSize / 2; pair++) {
      float frequency = rotary.frequencies()[pair];
      int first = firstColumn(pair);
      int second = secondColumn(pair);
      for (int position = 0; position < positions; position++) {
        float angle = position * frequency;
        int at = offset(position);
        longerCosines[at + first] = (float) Math.cos(angle);
        longerCosines[at + second] = longerCosines[at + first];
        longerSines[at + second] = (float) Math.sin(angle);
        longerSines[at + first] = -longerSines[at + second];
      }
    }
    cosines = longerCosines;
    sines = longerSines;
  }

  private int firstColumn(int pair) {
    return rotary.layout() == Rotary.Layout.PAIRS ? 2 * pair : pair;
  }

  private int secondColumn(int pair) {
    return rotary.layout() == Rotary.Layout.PAIRS ? 2 * pair + 1 : pair + headSize / 2;
  }

  /** Cosines by position and column, for as many positions as the table has now. */
  public float[] cosines() {
    return cosines;
  }

  /** Sines by position and column, negative in the first column of a pair. */
  public float[] sines() {
    return sines;
  }

  /** Cosine of the angle by which a pair of columns is turned. */
  public float cosine(int position, int pair) {
    return cosines[offset(position) + firstColumn(pair)];
  }

  /** Sine of the angle by which a pair of columns is turned. */
  public float sine(int position, int pair) {
    return sines[offset(position) + secondColumn(pair)];
  }

  /** Index of a position's first column. */
  public int offset(int position) {
    return position * headSize;
  }
}
