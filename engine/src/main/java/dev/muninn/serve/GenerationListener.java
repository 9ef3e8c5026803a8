package dev.muninn.serve;

import dev.muninn.decode.TokenProbability;
import java.util.List;

/**
 * Hears of a generation as it happens: on the thread that called {@code generate}, or, of a request
 * that was submitted, on the thread that computes, which must not be held up.
 */
@FunctionalInterface
public interface GenerationListener {

  /** A listener that hears nothing. */
  GenerationListener NONE = text -> {};

  /** The prompt has been turned into tokens and is about to be computed. */
  default void onPrompt(int[] promptTokens) {}

  /**
   * A token is chosen, if the request wants probabilities; {@link #onToken} comes next. They are
   * those of the model, before temperature, penalties and filters.
   *
   * @param logProbability natural logarithm of the token's probability
   * @param alternatives as many of the most probable tokens as were asked for
   */
  default void onProbabilities(
      int token, double logProbability, List<TokenProbability> alternatives) {}

  /**
   * A token was chosen.
   *
   * @param token its id
   * @param recurrences how often the recurrent block was applied to the position that chose it
   */
  default void onToken(int token, int recurrences) {}

  /**
   * More text is certain: whole characters, never empty, stop strings and special tokens left out.
   */
  void onText(String text);
}
