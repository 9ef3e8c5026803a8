package dev.muninn.model;

import java.util.Objects;

/**
 * Rotary position embedding (arXiv 2104.09864): column pairs of a head are turned by an angle that
 * grows with the position.
 *
 * @param layout which columns form a pair
 * @param base of the powers that the frequencies are
 * @param stretch factor by which long waves were stretched, 1 for none
 * @param frequencies angle of each pair per position in radians, [head size / 2], in f32
 */
public record Rotary(Layout layout, double base, double stretch, float[] frequencies) {

  /** Which columns of a head are turned together. */
  public enum Layout {
    /** Neighbours: 2i and 2i + 1. */
    PAIRS,
    /** The halves of a head: i and i + head size / 2. */
    HALVES
  }

  public Rotary {
    Objects.requireNonNull(layout, "layout");
    if (frequencies.length == 0) {
      throw new IllegalArgumentException("a rotary embedding needs at least one pair of columns");
    }
  }

  /** Columns of a head. */
  public int headSize() {
    return 2 * frequencies.length;
  }

  /**
   * Frequencies {@code base^(-2i / head size)}.
   *
   * @param headSize even
   * @param base positive and finite
   */
  public static Rotary of(Layout layout, int headSize, double base) {
    float[] frequencies = new float[headSize / 2];
    for (int pair = 0; pair < frequencies.length; pair++) {
      float exponent = 2f * pair / headSize;
      frequencies[pair] = 1 / (float) Math.pow(base, exponent);
    }
    return new Rotary(layout, base, 1, frequencies);
  }

  /**
   * The same pairs at lower frequencies, for contexts longer than those of pre-training (Llama
   * 3.1's {@code rope_type} llama3). With the wave length {@code w = 2 pi / f}, f stays where w is
   * below {@code original / high}, becomes f / factor where w is above {@code original / low}, and
   * is interpolated between.
   *
   * @param factor by which long waves are stretched
   * @param low {@code low_freq_factor}
   * @param high {@code high_freq_factor}, greater than low
   * @param original context of pre-training, in tokens
   */
  public Rotary stretched(double factor, double low, double high, double original) {
    float[] stretched = new float[frequencies.length];
    for (int pair = 0; pair < stretched.length; pair++) {
      float frequency = frequencies[pair];
      float wave = (float) (2 * Math.PI) / frequency;
      if (wave > original / low) {
        stretched[pair] = frequency / (float) factor;
      } else if (wave < original / high) {
        stretched[pair] = frequency;
      } else {
        float share = ((float) original / wave - (float) low) / (float) (high - low);
        stretched[pair] = (1 - share) * frequency / (float) factor + share * frequency;
      }
    }
    return new Rotary(layout, base, factor, stretched);
  }
}
