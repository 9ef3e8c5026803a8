package dev.muninn.serve;

import dev.muninn.cache.KeyValueLayout;
import dev.muninn.cache.KeyValueType;
import dev.muninn.decode.DecodingOptions;
import dev.muninn.decode.Strategy;
import dev.muninn.model.RecurrentModel;
import dev.muninn.text.ChatTemplate;
import dev.muninn.text.Prompt;
import dev.muninn.text.StopTokens;
import dev.muninn.text.Tokenizer;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;

/**
 * What requests are checked against: a model's shape and how it reads and writes text.
 *
 * @param architecture the model's shape
 * @param tokenizer empty if the model has none: prompts are then tokens
 * @param stopTokens tokens that end an answer
 * @param chatTemplate how conversations are laid out
 * @param keyValueType how keys and values are stored where the request does not say
 * @param directory where the model lies, for messages
 */
public record ServedModel(
    RecurrentModel architecture,
    Optional<Tokenizer> tokenizer,
    StopTokens stopTokens,
    ChatTemplate chatTemplate,
    KeyValueType keyValueType,
    Path directory) {

  public ServedModel {
    Objects.requireNonNull(architecture, "architecture");
    Objects.requireNonNull(tokenizer, "tokenizer");
    Objects.requireNonNull(stopTokens, "stopTokens");
    Objects.requireNonNull(chatTemplate, "chatTemplate");
    Objects.requireNonNull(keyValueType, "keyValueType");
    Objects.requireNonNull(directory, "directory");
  }

  /** Recurrences asked for, or the model's own number. */
  public int recurrence(int asked) {
    return asked == GenerationRequest.MODEL_DEFAULT ? architecture.defaultRecurrence() : asked;
  }

  /**
   * A prompt as the model sees it.
   *
   * @throws IllegalArgumentException if it has a token beyond the vocabulary, no tokens, or is a
   *     text where there is no tokenizer
   */
  public int[] tokens(Prompt prompt) {
    int[] tokens =
        switch (prompt) {
          case Prompt.Tokens(int[] given) -> given;
          case Prompt.Text(String text) ->
              tokenizerOrRefusal().encode(text, architecture.contextLength());
          case Prompt.Chat(var messages, var thinking) ->
              chatTemplate.encode(tokenizerOrRefusal(), messages, thinking);
        };
    if (tokens.length == 0) {
      throw new IllegalArgumentException(
          prompt instanceof Prompt.Chat
              ? "the model's chat template makes no tokens of the conversation"
              : "the prompt has no tokens");
    }
    for (int token : tokens) {
      if (token < 0 || token >= architecture.vocabularySize()) {
        throw new IllegalArgumentException(
            "prompt token "
                + token
                + " is outside the vocabulary, 0 to "
                + (architecture.vocabularySize() - 1));
      }
    }
    return tokens;
  }

  private Tokenizer tokenizerOrRefusal() {
    return tokenizer.orElseThrow(() ->
        new IllegalArgumentException(
            "a text prompt needs a tokenizer; "
                + directory
                + " has no tokenizer.json, so the prompt must be tokens"));
  }

  /** Positions that a generation may use, prompt and answer together. */
  int contextLength(GenerationRequest request, int promptLength) {
    int asked = request.contextLength();
    if (asked == GenerationRequest.MODEL_DEFAULT) {
      requireFits(promptLength, architecture.contextLength());
      return (int)
          Math.min(architecture.contextLength(), (long) promptLength + request.maxTokens());
    }
    if (asked > architecture.contextLength()) {
      throw new IllegalArgumentException(
          "context length " + asked + " exceeds the model's " + architecture.contextLength());
    }
    requireFits(promptLength, asked);
    return asked;
  }

  /** Refuses a prompt that the model's context has no room for. */
  public void requireFits(int promptLength) {
    requireFits(promptLength, architecture.contextLength());
  }

  private static void requireFits(int promptLength, int context) {
    if (promptLength > context) {
      throw new IllegalArgumentException(
          "the prompt has " + promptLength + " tokens, more than the context of " + context);
    }
  }

  /**
   * Refuses options that the model cannot be decoded with.
   *
   * @throws IllegalArgumentException if there is one
   */
  void requireSupports(DecodingOptions decoding) {
    if (!architecture.injects() && decoding.warmStart()) {
      throw new IllegalArgumentException(
          "a warm start would hide the token: this model's recurrences see it only in the state"
              + " they begin from");
    }
    if (!architecture.injects() && decoding.strategy() instanceof Strategy.Parallel) {
      throw new IllegalArgumentException(
          "parallel sampling replaces tokens while their states are refined; this model's"
              + " recurrences see a token only in the state they begin from");
    }
    decoding.exit().criterion().ifPresent(criterion -> criterion.requireFits(architecture));
  }

  /** Refuses a generation that cannot be computed. */
  public void requireFit(GenerationRequest request) {
    TextGeneration.check(this, request);
  }

  /** Refuses continuations that cannot be scored. */
  public void requireFit(ScoreRequest request) {
    new ContinuationScorer(this, request, scores -> {});
  }

  /** Room for a sequence's keys and values. */
  public KeyValueLayout layout(
      DecodingOptions decoding, int recurrence, int capacity, KeyValueType otherwise) {
    return new KeyValueLayout(
        architecture,
        decoding.effectivePolicy(),
        recurrence,
        capacity,
        decoding.type().orElse(otherwise));
  }
}
