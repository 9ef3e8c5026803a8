package dev.muninn.model;

/** The latent state s_0 that a position's recurrences begin from. */
public sealed interface StartState {

  /**
   * A normal distribution truncated at three standard deviations (arXiv 2502.05171, section 3.2).
   *
   * @param deviation the standard deviation of each value
   */
  record Random(double deviation) implements StartState {
    public Random {
      if (!(deviation >= 0) || Double.isInfinite(deviation)) {
        throw new IllegalArgumentException(
            "the deviation of start states must not be negative, not " + deviation);
      }
    }
  }

  /** The embedded token e itself: the model sees its token there and nowhere else. */
  record Embedded() implements StartState {}
}
