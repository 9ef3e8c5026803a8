package dev.muninn;

import dev.muninn.backend.InferenceException;
import dev.muninn.decode.Cancellation;
import dev.muninn.serve.GenerationListener;
import dev.muninn.serve.GenerationRequest;
import dev.muninn.serve.GenerationResult;
import dev.muninn.serve.RequestRunner;
import dev.muninn.serve.SessionCache;
import dev.muninn.serve.Timings;
import java.util.Optional;

/**
 * Generations that go on from each other: the keys and values of what was computed are kept. A
 * prompt's tokens are compared with those that are kept, and only what is behind the first
 * difference is computed, the last token in any case.
 *
 * <p>What is generated is the same, to the last bit, as by {@link LanguageModel#generate}, where
 * keys and values do not depend on which rows were computed together: with the cache policy full
 * and no warm start, without an exit or with one that looks at the latent state and lets the rows
 * of a prompt leave one by one. Otherwise it is as if the prompt were computed in the pieces in
 * which it grew.
 *
 * <p>Keys and values belong to a recurrence, initial states, decoding options and a context length;
 * when a request has others, they are all computed anew. Options are compared as values, so a
 * criterion that is parsed again is the same one; one that is a lambda of your own is the same only
 * if it is the same object. Room is reserved for the request's context length, or else the model's;
 * memory is used as positions are.
 *
 * <p>For one thread at a time. Several sessions of a model take turns.
 */
public final class Session implements AutoCloseable {
  private final RequestRunner runner;
  private final SessionCache cache = new SessionCache();

  Session(RequestRunner runner) {
    this.runner = runner;
  }

  /**
   * Generates as {@link LanguageModel#generate(GenerationRequest, GenerationListener,
   * Cancellation)} does. The result's {@link Timings#prefillTokens} says how many tokens of the
   * prompt were computed.
   *
   * @throws IllegalArgumentException if the request does not fit the model, or is for parallel
   *     sampling, whose keys and values never are final
   * @throws IllegalStateException if the session or the model is closed, or a listener of the model
   *     calls it
   * @throws InferenceException if the model computes logits that are NaN
   */
  public GenerationResult generate(
      GenerationRequest request, GenerationListener listener, Cancellation cancellation) {
    return runner.generate(Optional.of(cache), request, listener, cancellation);
  }

  /** Positions whose keys and values are kept. */
  public int keptPositions() {
    return cache.keptPositions();
  }

  /**
   * Frees the memory; the next request computes all.
   *
   * @throws IllegalStateException if a listener of the model calls it
   */
  public void forget() {
    runner.forget(cache);
  }

  /**
   * Frees the memory. The model stays open.
   *
   * @throws IllegalStateException if a listener of the model calls it
   */
  @Override
  public void close() {
    runner.close(cache);
  }
}
