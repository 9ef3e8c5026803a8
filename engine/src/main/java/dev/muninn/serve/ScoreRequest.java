package dev.muninn.serve;

import dev.muninn.decode.DecodingOptions;
import dev.muninn.decode.InitialState;
import dev.muninn.decode.Strategy;
import dev.muninn.text.Prompt;
import java.util.List;
import java.util.Objects;

/**
 * Continuations of one context to score.
 *
 * @param context what stands before each continuation
 * @param continuations at least one
 * @param recurrence how often the recurrent block is applied to a position, at least 1; {@link
 *     GenerationRequest#MODEL_DEFAULT} for the mean that the model was trained with
 * @param initialState how latent states begin
 * @param decoding how depth is spent; keys and values are kept in F32 unless it says otherwise. The
 *     context leaves as the exit's prefill says; a continuation's positions leave one by one, as
 *     those of an answer do
 * @param alternatives how many of the most probable tokens to report at each place, at least 0
 */
public record ScoreRequest(
    Prompt.Tokens context,
    List<Prompt.Tokens> continuations,
    int recurrence,
    InitialState initialState,
    DecodingOptions decoding,
    int alternatives) {

  /** Without alternatives. */
  public ScoreRequest(
      Prompt.Tokens context,
      List<Prompt.Tokens> continuations,
      int recurrence,
      InitialState initialState,
      DecodingOptions decoding) {
    this(context, continuations, recurrence, initialState, decoding, 0);
  }

  /**
   * @throws IllegalArgumentException if there is no continuation, a value is out of its range, or
   *     the strategy is not sequential
   */
  public ScoreRequest {
    Objects.requireNonNull(context, "context");
    Objects.requireNonNull(initialState, "initialState");
    continuations = List.copyOf(continuations);
    if (continuations.isEmpty()) {
      throw new IllegalArgumentException("a context to score needs at least one continuation");
    }
    GenerationRequest.requirePositiveOrDefault("recurrence", recurrence);
    if (alternatives < 0) {
      throw new IllegalArgumentException("alternatives must be at least 0, not " + alternatives);
    }
    if (decoding.strategy() != Strategy.sequential()) {
      throw new IllegalArgumentException("scores are computed position by position");
    }
  }
}
