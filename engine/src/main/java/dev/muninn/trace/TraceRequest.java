package dev.muninn.trace;

import dev.muninn.decode.DecodingOptions;
import dev.muninn.decode.InitialState;
import dev.muninn.decode.Strategy;
import dev.muninn.serve.GenerationRequest;
import dev.muninn.text.Prompt;
import java.util.List;
import java.util.Objects;

/**
 * A request to trace a prompt.
 *
 * @param prompt whose positions are traced
 * @param recurrence applications of the recurrent block, or {@link GenerationRequest#MODEL_DEFAULT}
 * @param starts where the thought begins: the first is traced at every recurrence, of the others
 *     only the ends are kept; at least one
 * @param topTokens most likely next tokens that are kept of each position and recurrence, at least
 *     1; of a smaller vocabulary all are kept
 * @param decoding which keys and values are kept, and how; without exits, warm start and strategy
 */
public record TraceRequest(
    Prompt prompt,
    int recurrence,
    List<InitialState> starts,
    int topTokens,
    DecodingOptions decoding) {

  /**
   * @throws IllegalArgumentException if a number is out of its range, or if the decoding would not
   *     compute every recurrence of every position
   */
  public TraceRequest {
    Objects.requireNonNull(prompt, "prompt");
    starts = List.copyOf(starts);
    if (recurrence != GenerationRequest.MODEL_DEFAULT && recurrence < 1) {
      throw new IllegalArgumentException("recurrence must be at least 1, not " + recurrence);
    }
    if (starts.isEmpty()) {
      throw new IllegalArgumentException("a trace needs at least one initial state");
    }
    if (topTokens < 1) {
      throw new IllegalArgumentException("top tokens must be at least 1, not " + topTokens);
    }
    if (decoding.exit().criterion().isPresent()
        || decoding.warmStart()
        || decoding.strategy() != Strategy.sequential()) {
      throw new IllegalArgumentException(
          "a trace computes every recurrence of every position: it has no exit, no warm start and"
              + " no strategy");
    }
  }

  /** The five likeliest tokens of a prompt's trace from one random state. */
  public static TraceRequest of(Prompt prompt, int recurrence) {
    return new TraceRequest(
        prompt, recurrence, List.of(InitialState.random(0)), 5, DecodingOptions.defaults());
  }
}
