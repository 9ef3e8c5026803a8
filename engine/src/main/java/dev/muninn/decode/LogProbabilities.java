package dev.muninn.decode;

import dev.muninn.backend.InferenceException;

/** Probabilities of tokens from logits. */
public final class LogProbabilities {
  private LogProbabilities() {}

  /**
   * The natural logarithm of a token's probability, by a softmax in doubles.
   *
   * @param logits of all tokens, [vocabulary]
   * @throws InferenceException if a logit is not a number
   */
  public static double of(float[] logits, int token) {
    double greatest = Double.NEGATIVE_INFINITY;
    for (float logit : logits) {
      if (Float.isNaN(logit)) {
        throw new InferenceException("the model computed a logit that is not a number");
      }
      greatest = Math.max(greatest, logit);
    }
    double sum = 0;
    for (float logit : logits) {
      sum += Math.exp(logit - greatest);
    }
    return logits[token] - greatest - Math.log(sum);
  }
}
