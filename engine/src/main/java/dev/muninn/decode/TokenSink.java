package dev.muninn.decode;

/** Takes a sequence's tokens as they are chosen. */
@FunctionalInterface
public interface TokenSink {

  /**
   * Takes a token.
   *
   * @param recurrences applications of the recurrent block to the position that chose it
   * @return whether the sequence goes on
   */
  boolean accept(int token, int recurrences);

  /**
   * A token was chosen, and goes to {@link #accept} next.
   *
   * @param logits that it was chosen from, [vocabulary]; valid during the call
   */
  default void chosen(int token, float[] logits) {}

  /**
   * A token of a continuation was scored.
   *
   * @param index of the token in the continuation
   * @param logits before it, [vocabulary]; valid during the call
   */
  default void scored(int continuation, int index, float[] logits) {}

  /** The sequence is about to be computed. */
  default void begun() {}

  /** The sequence has ended. */
  default void ended() {}

  /** The sequence was cancelled, by what its task was told to ask. */
  default void cancelled() {}

  /**
   * The sequence cannot go on: its criterion, its sampler or this sink threw. Unless this is
   * overridden, everything that is computed beside the sequence ends, too.
   *
   * @param failure a {@link RuntimeException} or an {@link Error}
   */
  default void failed(Throwable failure) {
    if (failure instanceof Error error) {
      throw error;
    }
    throw (RuntimeException) failure;
  }
}
