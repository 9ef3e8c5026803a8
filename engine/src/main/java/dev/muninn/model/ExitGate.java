package dev.muninn.model;

import java.util.Objects;

/**
 * A learned exit (Ouro, arXiv 2510.25741, section 3): behind recurrence t the state says with
 * probability {@code lambda_t = sigmoid(weight . s_t + bias)} that it is enough.
 *
 * @param weight [h]
 * @param bias one number
 * @param threshold cumulated exit probability at which a row leaves unless another is asked for,
 *     from 0 to 1
 */
public record ExitGate(float[] weight, float bias, double threshold) {
  public ExitGate {
    Objects.requireNonNull(weight, "weight");
    if (!(threshold >= 0 && threshold <= 1)) {
      throw new IllegalArgumentException(
          "the exit gate's threshold must be from 0 to 1, not " + threshold);
    }
  }
}
