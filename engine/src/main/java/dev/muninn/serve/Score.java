package dev.muninn.serve;

import java.util.List;

/**
 * How likely a model finds a text.
 *
 * @param tokens the text's tokens, n of them
 * @param logProbabilities natural logarithm of the probability of tokens 1 to n - 1, each given
 *     those before it: n - 1 values
 */
public record Score(List<Integer> tokens, List<Double> logProbabilities) {

  public Score {
    tokens = List.copyOf(tokens);
    logProbabilities = List.copyOf(logProbabilities);
    if (tokens.size() != logProbabilities.size() + 1) {
      throw new IllegalArgumentException(
          tokens.size() + " tokens have one log-probability less, not " + logProbabilities.size());
    }
  }

  /** Sum of the log-probabilities. */
  public double logLikelihood() {
    double sum = 0;
    for (double logProbability : logProbabilities) {
      sum += logProbability;
    }
    return sum;
  }

  /** Exponential of the mean negative log-probability. */
  public double perplexity() {
    return Math.exp(-logLikelihood() / logProbabilities.size());
  }
}
