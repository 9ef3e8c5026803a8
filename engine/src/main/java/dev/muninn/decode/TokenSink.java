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

  /** The sequence is about to be computed. */
  default void begun() {}

  /** The sequence has ended. */
  default void ended() {}
}
