package dev.muninn.serve;

import dev.muninn.decode.DecodingOptions;
import dev.muninn.decode.InitialState;
import dev.muninn.decode.SamplingOptions;
import dev.muninn.decode.Strategy;
import dev.muninn.text.Prompt;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * One text to generate. Built by {@link #builder(Prompt)}.
 *
 * @param prompt what to continue
 * @param maxTokens most tokens to generate, at least 1
 * @param recurrence how often the recurrent block is applied to a position, at least 1; {@link
 *     #MODEL_DEFAULT} for the mean that the model was trained with
 * @param initialState how latent states begin
 * @param sampling how a token is chosen from the logits
 * @param stopStrings texts that end the generation and are not part of it
 * @param ignoreEndOfSequence whether to go on after an end-of-sequence token
 * @param contextLength positions to keep room for, prompt and answer together; {@link
 *     #MODEL_DEFAULT} for what prompt and {@code maxTokens} need, at most the model's context
 * @param decoding how depth is spent: exits, cache policy, strategy
 * @param logProbabilities how many alternatives to each token the listener hears of, at least 0;
 *     {@link #NONE} for no probabilities at all
 */
public record GenerationRequest(
    Prompt prompt,
    int maxTokens,
    int recurrence,
    InitialState initialState,
    SamplingOptions sampling,
    List<String> stopStrings,
    boolean ignoreEndOfSequence,
    int contextLength,
    DecodingOptions decoding,
    int logProbabilities) {

  /** Stands for probabilities that nobody asks for. */
  public static final int NONE = -1;

  /** Stands for the model's own value. */
  public static final int MODEL_DEFAULT = -1;

  public GenerationRequest {
    Objects.requireNonNull(prompt, "prompt");
    Objects.requireNonNull(initialState, "initialState");
    Objects.requireNonNull(sampling, "sampling");
    Objects.requireNonNull(decoding, "decoding");
    stopStrings = List.copyOf(stopStrings);
    if (maxTokens < 1) {
      throw new IllegalArgumentException("max tokens must be at least 1, not " + maxTokens);
    }
    requirePositiveOrDefault("recurrence", recurrence);
    requirePositiveOrDefault("context length", contextLength);
    if (logProbabilities < NONE) {
      throw new IllegalArgumentException(
          "alternatives must be at least 0, not " + logProbabilities);
    }
    if (logProbabilities != NONE && decoding.strategy() instanceof Strategy.Parallel) {
      throw new IllegalArgumentException(
          "parallel sampling and probabilities of tokens exclude each other");
    }
    for (String stop : stopStrings) {
      if (stop.isEmpty()) {
        throw new IllegalArgumentException("a stop string must not be empty");
      }
    }
  }

  static void requirePositiveOrDefault(String what, int value) {
    if (value < 1 && value != MODEL_DEFAULT) {
      throw new IllegalArgumentException(what + " must be at least 1, not " + value);
    }
  }

  /** Starts a request with a text as its prompt. */
  public static Builder builder(String prompt) {
    return builder(Prompt.text(prompt));
  }

  /** Starts a request. */
  public static Builder builder(Prompt prompt) {
    return new Builder(prompt);
  }

  /**
   * Collects what a request is made of. Defaults: 128 tokens, the model's mean recurrence, random
   * initial states from seed 0, greedy sampling. Not thread-safe.
   */
  public static final class Builder {
    private final Prompt prompt;
    private int maxTokens = 128;
    private int recurrence = MODEL_DEFAULT;
    private InitialState initialState = InitialState.random(0);
    private SamplingOptions sampling = SamplingOptions.greedy();
    private final List<String> stopStrings = new ArrayList<>();
    private boolean ignoreEndOfSequence;
    private int contextLength = MODEL_DEFAULT;
    private DecodingOptions decoding = DecodingOptions.defaults();
    private int logProbabilities = NONE;

    private Builder(Prompt prompt) {
      this.prompt = prompt;
    }

    public Builder maxTokens(int maxTokens) {
      this.maxTokens = maxTokens;
      return this;
    }

    public Builder recurrence(int recurrence) {
      this.recurrence = recurrence;
      return this;
    }

    public Builder initialState(InitialState initialState) {
      this.initialState = initialState;
      return this;
    }

    public Builder sampling(SamplingOptions sampling) {
      this.sampling = sampling;
      return this;
    }

    public Builder stop(String... stops) {
      stopStrings.addAll(List.of(stops));
      return this;
    }

    public Builder ignoreEndOfSequence(boolean ignoreEndOfSequence) {
      this.ignoreEndOfSequence = ignoreEndOfSequence;
      return this;
    }

    public Builder contextLength(int contextLength) {
      this.contextLength = contextLength;
      return this;
    }

    public Builder decoding(DecodingOptions decoding) {
      this.decoding = decoding;
      return this;
    }

    public Builder logProbabilities(int logProbabilities) {
      this.logProbabilities = logProbabilities;
      return this;
    }

    /**
     * @throws IllegalArgumentException if a value is out of its range
     */
    public GenerationRequest build() {
      return new GenerationRequest(
          prompt,
          maxTokens,
          recurrence,
          initialState,
          sampling,
          stopStrings,
          ignoreEndOfSequence,
          contextLength,
          decoding,
          logProbabilities);
    }
  }
}
