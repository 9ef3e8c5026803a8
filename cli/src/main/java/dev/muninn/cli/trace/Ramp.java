package dev.muninn.cli.trace;

import dev.muninn.cli.output.Units;

/** Colours for numbers: from dark to bright, so that they also tell in grey. */
final class Ramp {
  private static final int[][] ANCHORS = {
    {32, 28, 80}, {44, 84, 158}, {30, 146, 150}, {130, 196, 100}, {250, 238, 150}
  };

  private Ramp() {}

  /** Red, green and blue, 0 to 255, of a number from 0 to 1. */
  static int[] colour(double value) {
    double place = Math.clamp(value, 0, 1) * (ANCHORS.length - 1);
    int below = Math.min((int) place, ANCHORS.length - 2);
    int[] colour = new int[3];
    for (int i = 0; i < 3; i++) {
      colour[i] =
          (int)
              Math.round(
                  ANCHORS[below][i]
                      + (place - below) * (ANCHORS[below + 1][i] - ANCHORS[below][i]));
    }
    return colour;
  }

  /** As CSS and SVG spell it. */
  static String hex(double value) {
    int[] colour = colour(value);
    return Units.format("#%02x%02x%02x", colour[0], colour[1], colour[2]);
  }

  /** Whether dark letters read better on it than bright ones. */
  static boolean bright(double value) {
    int[] colour = colour(value);
    return 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2] > 110;
  }
}
