package dev.muninn.decode;

/**
 * How the latent state s_0 of a position begins: a normal distribution truncated at three standard
 * deviations, sigma = scale * sqrt(2 / (5 h)), times sqrt(h) (arXiv 2502.05171, section 3.2 and
 * appendix). Scale 0 gives zeros.
 *
 * <p>The values of a position depend on the seed and the position alone, not on what else is
 * computed beside it.
 *
 * @param scale factor on the standard deviation, finite, at least 0
 * @param seed seed of the random numbers
 */
public record InitialState(float scale, long seed) {

  public InitialState {
    if (!(scale >= 0) || Float.isInfinite(scale)) {
      throw new IllegalArgumentException(
          "state scale must be a finite number of at least 0, not " + scale);
    }
  }

  /** All positions start from zeros. */
  public static InitialState zero() {
    return new InitialState(0, 0);
  }

  /** All positions start from the distribution the model was trained with. */
  public static InitialState random(long seed) {
    return new InitialState(1, seed);
  }
}
