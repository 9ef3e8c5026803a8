package dev.muninn.train;

import dev.muninn.decode.SplitMix;

/**
 * How deep a model is trained (arXiv 2502.05171, section 3.3).
 *
 * @param backpropagationDepth k: most of the last recurrences that are gone back through
 * @param fixedDepth the number of recurrences of every step, all of which are gone back through:
 *     the paper's baseline of section 5.1; 0 to draw it from the log-normal Poisson distribution
 * @param sandwich whether blocks have their outer norms; the comparison of section 7.3 has not
 */
public record Objective(int backpropagationDepth, int fixedDepth, boolean sandwich) {

  public Objective {
    if (backpropagationDepth < 1) {
      throw new IllegalArgumentException(
          "back-propagation goes through at least 1 recurrence, not " + backpropagationDepth);
    }
    if (fixedDepth < 0) {
      throw new IllegalArgumentException("the fixed depth is at least 1, not " + fixedDepth);
    }
  }

  /**
   * The number of recurrences of a step.
   *
   * @param mean expectation of e^tau
   */
  int recurrence(int mean, SplitMix random) {
    return fixedDepth > 0
        ? fixedDepth
        : new RecurrenceSampler(mean, RecurrenceSampler.SIGMA).draw(random);
  }

  /** Most recurrences that are gone back through. */
  int depth() {
    return fixedDepth > 0 ? fixedDepth : backpropagationDepth;
  }
}
