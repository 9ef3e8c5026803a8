package dev.muninn.train;

/**
 * How long and how fast.
 *
 * @param steps of the optimizer
 * @param accumulated batches whose gradients make a step; their mean counts
 * @param learningRate at its peak
 * @param warmUp steps in which the learning rate rises from nothing
 * @param coolDown steps at the end in which it falls to nothing
 * @param weightDecay AdamW's, of matrices
 * @param clip greatest norm of a step's gradient; a longer one is shortened
 */
public record Schedule(
    long steps,
    int accumulated,
    double learningRate,
    long warmUp,
    long coolDown,
    double weightDecay,
    double clip) {
  private static final double FIRST_DECAY = 0.9;
  private static final double SECOND_DECAY = 0.95;
  private static final double EPSILON = 1e-8;

  public Schedule {
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
    return learningRate * Math.min(rise, fall);
  }

  AdamW optimizer() {
    return new AdamW(FIRST_DECAY, SECOND_DECAY, EPSILON, weightDecay);
  }
}
