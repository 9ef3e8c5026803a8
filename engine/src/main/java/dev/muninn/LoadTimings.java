package dev.muninn;

/**
 * How long loading a model took. The tokenizer's library loads beside the weights, so of the
 * tokenizer only what is waited for counts.
 *
 * @param began {@link System#nanoTime} when it began
 * @param mapNanos nanoseconds for the configuration and for mapping and binding the weights
 * @param tokenizerNanos nanoseconds until the tokenizer was there as well
 * @param warmUpNanos nanoseconds for opening the backend and waiting for its kernels; small models
 *     do not wait, their kernels are compiled beside the first tokens
 */
public record LoadTimings(long began, long mapNanos, long tokenizerNanos, long warmUpNanos) {

  /** Nanoseconds for everything. */
  public long totalNanos() {
    return mapNanos + tokenizerNanos + warmUpNanos;
  }
}
