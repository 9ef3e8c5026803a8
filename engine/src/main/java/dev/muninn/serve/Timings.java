package dev.muninn.serve;

/**
 * How long a generation took.
 *
 * @param prefillNanos nanoseconds from the prompt's tokens to the first chosen token
 * @param prefillTokens tokens of the prompt that were computed: all but those a {@code Session} had
 *     kept; none if it was cancelled before the first token was chosen
 * @param decodeNanos nanoseconds for all forwards after the prompt's
 * @param decodeTokens number of those forwards
 */
public record Timings(long prefillNanos, int prefillTokens, long decodeNanos, int decodeTokens) {

  /** Tokens per second of the prompt; 0 if nothing was measured. */
  public double prefillTokensPerSecond() {
    return rate(prefillTokens, prefillNanos);
  }

  /** Tokens per second after the prompt; 0 if there were none. */
  public double decodeTokensPerSecond() {
    return rate(decodeTokens, decodeNanos);
  }

  private static double rate(int tokens, long nanos) {
    return nanos == 0 ? 0 : tokens * 1e9 / nanos;
  }
}
