package dev.muninn.eval;

import dev.muninn.decode.DecodingOptions;
import dev.muninn.decode.InitialState;
import dev.muninn.decode.SamplingOptions;
import dev.muninn.serve.GenerationRequest;
import java.util.Objects;

/**
 * How problems are computed.
 *
 * @param recurrence applications of the recurrent block to a position, at least 1; {@link
 *     GenerationRequest#MODEL_DEFAULT} for the mean that the model was trained with
 * @param initialState how latent states begin; a problem's further samples begin from the next
 *     seeds
 * @param decoding how depth is spent; scores need sequential decoding
 * @param sampling how the tokens of answers are chosen; each sample of each problem has a seed of
 *     its own, drawn from this one
 * @param samples answers generated to each question, at least 1
 * @param maxTokens most tokens of an answer, where its problem does not say, at least 1
 */
public record EvaluationSettings(
    int recurrence,
    InitialState initialState,
    DecodingOptions decoding,
    SamplingOptions sampling,
    int samples,
    int maxTokens) {

  public EvaluationSettings {
    Objects.requireNonNull(initialState, "initialState");
    Objects.requireNonNull(decoding, "decoding");
    Objects.requireNonNull(sampling, "sampling");
    if (samples < 1) {
      throw new IllegalArgumentException("samples must be at least 1, not " + samples);
    }
    if (maxTokens < 1) {
      throw new IllegalArgumentException("max tokens must be at least 1, not " + maxTokens);
    }
  }

  /** Greedy answers of at most 128 tokens, random initial states from seed 0. */
  public static EvaluationSettings of(int recurrence) {
    return new EvaluationSettings(
        recurrence,
        InitialState.random(0),
        DecodingOptions.defaults(),
        SamplingOptions.greedy(),
        1,
        128);
  }

  public EvaluationSettings withRecurrence(int recurrence) {
    return new EvaluationSettings(recurrence, initialState, decoding, sampling, samples, maxTokens);
  }

  public EvaluationSettings withInitialState(InitialState initialState) {
    return new EvaluationSettings(recurrence, initialState, decoding, sampling, samples, maxTokens);
  }

  public EvaluationSettings withDecoding(DecodingOptions decoding) {
    return new EvaluationSettings(recurrence, initialState, decoding, sampling, samples, maxTokens);
  }
}
