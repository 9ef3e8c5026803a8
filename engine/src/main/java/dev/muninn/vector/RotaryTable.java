package dev.muninn.vector;

import dev.muninn.model.RavenConfig;

/**
 * Cosines and sines of the rotary position embedding for every position and column of a head, in
 * f32 as the model was trained: both columns of a pair have its cosine; the even one has the sine
 * negated. Shape of each: [context, head size].
 */
final class RotaryTable {
  final float[] cosines;
  final float[] sines;
  private final int headSize;

  RotaryTable(RavenConfig config) {
    headSize = config.headSize();
    int positions = config.contextLength();
    cosines = new float[Math.multiplyExact(positions, headSize)];
    sines = new float[cosines.length];
    for (int pair = 0; pair < headSize / 2; pair++) {
      float exponent = 2f * pair / headSize;
      float frequency = 1 / (float) Math.pow(config.ropeBase(), exponent);
      for (int position = 0; position < positions; position++) {
        float angle = position * frequency;
        int at = offset(position) + 2 * pair;
        cosines[at] = (float) Math.cos(angle);
        cosines[at + 1] = cosines[at];
        sines[at + 1] = (float) Math.sin(angle);
        sines[at] = -sines[at + 1];
      }
    }
  }

  /** Index of a position's first column. */
  int offset(int position) {
    return position * headSize;
  }
}
