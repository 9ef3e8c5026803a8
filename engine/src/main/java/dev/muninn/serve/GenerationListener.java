package dev.muninn.serve;

/** Hears of a generation as it happens, on the thread that called {@code generate}. */
@FunctionalInterface
public interface GenerationListener {

  /** A listener that hears nothing. */
  GenerationListener NONE = text -> {};

  /** The prompt has been turned into tokens and is about to be computed. */
  default void onPrompt(int[] promptTokens) {}

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
