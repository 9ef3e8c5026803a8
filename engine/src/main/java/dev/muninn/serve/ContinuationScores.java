package dev.muninn.serve;

import dev.muninn.decode.DecodingStatistics;
import dev.muninn.decode.TokenProbability;
import java.util.List;

/**
 * How likely a model finds continuations of a context.
 *
 * @param logProbabilities of each continuation: natural logarithm of the probability of each of its
 *     tokens, given the context and the tokens before it
 * @param recurrences applications of the recurrent block per forward: the context's, then those of
 *     all positions of the continuations but their last
 * @param statistics what it cost
 * @param alternatives of each continuation, the most probable tokens at the place of each of its
 *     tokens, as many as were asked for
 */
public record ContinuationScores(
    List<List<Double>> logProbabilities,
    List<Integer> recurrences,
    DecodingStatistics statistics,
    List<List<List<TokenProbability>>> alternatives) {

  public ContinuationScores {
    logProbabilities = logProbabilities.stream().map(List::copyOf).toList();
    recurrences = List.copyOf(recurrences);
    alternatives = alternatives.stream().map(List::copyOf).toList();
  }

  /** Sum of a continuation's log-probabilities. */
  public double logLikelihood(int continuation) {
    double sum = 0;
    for (double logProbability : logProbabilities.get(continuation)) {
      sum += logProbability;
    }
    return sum;
  }
}
