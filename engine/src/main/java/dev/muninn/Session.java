package dev.muninn;

import dev.muninn.backend.Backend;
import dev.muninn.backend.InferenceException;
import dev.muninn.cache.KeyValueLayout;
import dev.muninn.decode.Cancellation;
import dev.muninn.decode.DecodingOptions;
import dev.muninn.decode.InitialState;
import dev.muninn.decode.KeptSequence;
import dev.muninn.decode.SequenceTask;
import dev.muninn.serve.GenerationListener;
import dev.muninn.serve.GenerationRequest;
import dev.muninn.serve.GenerationResult;
import dev.muninn.serve.Timings;

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
 * when a request has others, they are all computed anew. Room is reserved for the request's context
 * length, or else the model's; memory is used as positions are.
 *
 * <p>For one thread at a time. Several sessions of a model take turns.
 */
public final class Session implements AutoCloseable {
  private final LanguageModel model;
  private KeptSequence kept;
  private Settings settings;
  private boolean closed;

  /** What keys and values depend on, beside the tokens. */
  private record Settings(
      KeyValueLayout layout, InitialState initialState, DecodingOptions decoding) {}

  Session(LanguageModel model) {
    this.model = model;
  }

  /**
   * Generates as {@link LanguageModel#generate(GenerationRequest, GenerationListener,
   * Cancellation)} does. The result's {@link Timings#prefillTokens} says how many tokens of the
   * prompt were computed.
   *
   * @throws IllegalArgumentException if the request does not fit the model, or is for parallel
   *     sampling, whose keys and values never are final
   * @throws InferenceException if the model computes logits that are no numbers
   */
  public GenerationResult generate(
      GenerationRequest request, GenerationListener listener, Cancellation cancellation) {
    if (closed) {
      throw new IllegalStateException("the session is closed");
    }
    return model.generate(this, request, listener, cancellation);
  }

  /** Makes a task continue from here; returns the positions of its prompt that are kept. */
  int prepare(SequenceTask task, GenerationRequest request, Backend backend) {
    Settings wanted = new Settings(task.layout(), request.initialState(), request.decoding());
    if (!wanted.equals(settings)) {
      forget();
      kept = new KeptSequence(backend, task.layout());
      settings = wanted;
    }
    return task.continueFrom(kept);
  }

  /** Positions whose keys and values are kept. */
  public int keptPositions() {
    return kept == null ? 0 : kept.length();
  }

  /** Frees the memory; the next request computes all. */
  public void forget() {
    if (kept != null) {
      kept.close();
      kept = null;
      settings = null;
    }
  }

  /** Frees the memory. The model stays open. */
  @Override
  public void close() {
    closed = true;
    forget();
  }
}
