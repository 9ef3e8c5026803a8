package dev.muninn.decode;

import dev.muninn.backend.InferenceException;
import java.util.ArrayList;
import java.util.List;

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
    double greatest = greatest(logits);
    return logits[token] - greatest - logSum(logits, greatest);
  }

  /**
   * The most probable tokens, the most probable first; of those on a level the lowest id first.
   *
   * @param logits of all tokens, [vocabulary]
   * @param count how many, at least 0; at most the whole vocabulary is returned
   * @throws InferenceException if a logit is not a number
   */
  public static List<TokenProbability> top(float[] logits, int count) {
    int most = Math.min(count, logits.length);
    int[] best = new int[most + 1];
    int found = 0;
    for (int token = 0; token < logits.length; token++) {
      if (found == most && (most == 0 || logits[token] <= logits[best[most - 1]])) {
        continue;
      }
      int at = found;
      while (at > 0 && logits[best[at - 1]] < logits[token]) {
        best[at] = best[at - 1];
        at--;
      }
      best[at] = token;
      found = Math.min(most, found + 1);
    }
    double greatest = greatest(logits);
    double logSum = logSum(logits, greatest);
    List<TokenProbability> top = new ArrayList<>();
    for (int i = 0; i < found; i++) {
      top.add(new TokenProbability(best[i], logits[best[i]] - greatest - logSum));
    }
    return List.copyOf(top);
  }

  private static double greatest(float[] logits) {
    double greatest = Double.NEGATIVE_INFINITY;
    for (float logit : logits) {
      if (Float.isNaN(logit)) {
        throw new InferenceException("the model computed a logit that is not a number");
      }
      greatest = Math.max(greatest, logit);
    }
    return greatest;
  }

  private static double logSum(float[] logits, double greatest) {
    double sum = 0;
    for (float logit : logits) {
      sum += Math.exp(logit - greatest);
    }
    return Math.log(sum);
  }
}
