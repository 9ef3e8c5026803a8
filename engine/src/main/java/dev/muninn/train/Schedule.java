package dev.muninn.train;

import java.util.Objects;

/**
 * How long and how fast.
 *
 * @param steps of the optimizer
 * @param accumulated batches whose gradients make a step; their mean counts
 * @param learningRate at its peak
 * @param warmUp steps in which the learning rate rises from nothing
 * @param decay its course from there
 * @param coolDown steps at the end in which it falls to nothing
 * @param weightDecay AdamW's, of matrices
 * @param clip greatest norm of a step's gradient; a longer one is shortened
 */
public record Schedule(
    long steps,
    int accumulated,
    double learningRate,
    long warmUp,
    Decay decay,
    long coolDown,
    double weightDecay,
    double clip) {
  /** The course of the learning rate between warm-up and cool-down. */
  public enum Decay {
    /** It stays at its peak. */
    NONE,

    /**
     * It falls as the inverse square root of the step (Vaswani et al., arXiv 1706.03762, section
     * 5.3): fast while there is much to learn, and ever less noise afterwards.
     */
    INVERSE_SQUARE_ROOT
  }

  private static final double FIRST_DECAY = 0.9;
  private static final double SECOND_DECAY = 0.95;
  private static final double EPSILON = 1e-8;

  public Schedule {
    Objects.requireNonNull(decay, "decay");
    if (steps < 1 || accumulated < 1 || warmUp < 0 || coolDown < 0) {
      throw new IllegalArgumentException(
          "steps and accumulated batches are at least 1, warm-up and cool-down at least 0");
    }
    if (!(learningRate > 0) || !(weightDecay >= 0) || !(clip > 0)) {
      throw new IllegalArgumentException(
          "learning rate and clip are above 0, the weight decay at least 0");
    }
  }

  /**
   * The learning rate of a step.
   *
   * @param step from 0 on
   */
  double learningRate(long step) {
    double rise = warmUp == 0 ? 1 : Math.min(1, (step + 1.0) / warmUp);
    double fall = coolDown == 0 ? 1 : Math.min(1, (double) (steps - step) / coolDown);
    double decayed =
        decay == Decay.NONE ? 1 : Math.sqrt(Math.max(1, warmUp) / Math.max(step + 1.0, warmUp));
    return learningRate * decayed * Math.min(rise, fall);
  }

  AdamW optimizer() {
    return new AdamW(FIRST_DECAY, SECOND_DECAY, EPSILON, weightDecay);
  }
}
