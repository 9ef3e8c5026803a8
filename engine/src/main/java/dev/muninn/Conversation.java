package dev.muninn;

import dev.muninn.backend.InferenceException;
import dev.muninn.decode.Cancellation;
import dev.muninn.serve.GenerationListener;
import dev.muninn.serve.GenerationRequest;
import dev.muninn.serve.GenerationResult;
import dev.muninn.text.ChatMessage;
import dev.muninn.text.Prompt;
import dev.muninn.text.Tokenizer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;

/**
 * A conversation with a model. Its messages are laid out by the model's chat template anew for each
 * answer; of their tokens only those that are new are computed, as {@link Session} describes.
 *
 * <p>When the context has too little room left for an answer (less than a quarter of it, or than
 * the most tokens asked for), the oldest exchanges are forgotten until the rest takes half of the
 * context at most. The system message stays.
 *
 * <p>For one thread at a time.
 */
public final class Conversation implements AutoCloseable {
  private final LanguageModel model;
  private final Tokenizer tokenizer;
  private final Optional<Boolean> thinking;
  private final Session session;
  private final List<ChatMessage> messages = new ArrayList<>();
  private String system;
  private int forgotten;
  private boolean asking;

  /**
   * An empty conversation.
   *
   * @throws IllegalArgumentException if the model has no tokenizer
   * @throws dev.muninn.weights.CheckpointException if its chat template is missing or broken
   */
  public Conversation(LanguageModel model) {
    this(model, Optional.empty());
  }

  /**
   * An empty conversation.
   *
   * @param thinking whether the model is to think before it answers; empty for its own choice
   * @throws IllegalArgumentException if the model has no tokenizer, or its chat template does not
   *     ask whether to think
   * @throws dev.muninn.weights.CheckpointException if its chat template is missing or broken
   */
  public Conversation(LanguageModel model, Optional<Boolean> thinking) {
    this.model = model;
    this.thinking = thinking;
    this.tokenizer =
        model
            .tokenizer()
            .orElseThrow(() ->
                new IllegalArgumentException(
                    "a conversation needs a tokenizer; "
                        + model.checkpoint().directory()
                        + " has no tokenizer.json"));
    model.chatTemplate().encode(tokenizer, List.of(ChatMessage.user("")), thinking);
    this.session = model.openSession();
  }

  /** Sets the system message, which stands before all others, or removes it. */
  public void setSystem(Optional<String> text) {
    system = text.orElse(null);
  }

  /** The system message. */
  public Optional<String> system() {
    return Optional.ofNullable(system);
  }

  /** All messages that the model still knows, the system's first. */
  public List<ChatMessage> messages() {
    return withSystem(messages);
  }

  /** Messages that were forgotten for want of room, since the conversation began. */
  public int forgotten() {
    return forgotten;
  }

  /** Positions whose keys and values are kept. */
  public int keptPositions() {
    return session.keptPositions();
  }

  /**
   * Forgets all messages but the system's.
   *
   * @throws IllegalStateException while an answer is made
   */
  public void reset() {
    requireIdle();
    messages.clear();
    forgotten = 0;
  }

  /**
   * Says something and lets the model answer. A cancelled answer stays in the conversation as far
   * as it got. If this throws, the message is not part of the conversation.
   *
   * @param text the user's message
   * @param settings how to answer: gets a request with the prompt and gives it back with all else
   * @throws IllegalArgumentException if the message alone is too long, or the settings do not fit
   * @throws IllegalStateException while an answer is made, or if the model is closed
   * @throws InferenceException if the model computes logits that are NaN
   */
  public GenerationResult ask(
      String text,
      UnaryOperator<GenerationRequest.Builder> settings,
      GenerationListener listener,
      Cancellation cancellation) {
    requireIdle();
    asking = true;
    try {
      return answer(text, settings, listener, cancellation);
    } finally {
      asking = false;
    }
  }

  private void requireIdle() {
    if (asking) {
      throw new IllegalStateException(
          "the conversation is making an answer: a listener must not ask, reset or close it");
    }
  }

  private GenerationResult answer(
      String text,
      UnaryOperator<GenerationRequest.Builder> settings,
      GenerationListener listener,
      Cancellation cancellation) {
    List<ChatMessage> asked = new ArrayList<>(messages);
    asked.add(ChatMessage.user(text));
    int dropped = fit(asked, settings.apply(GenerationRequest.builder("")).build());
    Prompt prompt = Prompt.chat(withSystem(asked), thinking);
    GenerationResult result =
        session.generate(
            settings.apply(GenerationRequest.builder(prompt)).build(), listener, cancellation);
    asked.add(ChatMessage.assistant(result.text().orElseThrow()));
    messages.clear();
    messages.addAll(asked);
    forgotten += dropped;
    return result;
  }

  /** Removes the oldest exchanges if there is too little room; returns how many messages. */
  private int fit(List<ChatMessage> asked, GenerationRequest request) {
    int context = model.architecture().contextLength();
    if (request.contextLength() != GenerationRequest.MODEL_DEFAULT) {
      context = Math.min(context, request.contextLength());
    }
    int room = Math.min(request.maxTokens(), context / 4);
    int length = length(asked);
    if (length + room <= context) {
      return 0;
    }
    int dropped = 0;
    // The last message is the one to be answered.
    while (asked.size() > 2 && length > context / 2) {
      asked.subList(0, 2).clear();
      dropped += 2;
      length = length(asked);
    }
    if (length > context) {
      throw new IllegalArgumentException(
          "the message has "
              + length
              + " tokens"
              + (system == null ? "" : " with the system message")
              + ", more than the context of "
              + context);
    }
    return dropped;
  }

  private int length(List<ChatMessage> list) {
    return model.chatTemplate().encode(tokenizer, withSystem(list), thinking).length;
  }

  private List<ChatMessage> withSystem(List<ChatMessage> list) {
    List<ChatMessage> all = new ArrayList<>();
    if (system != null) {
      all.add(ChatMessage.system(system));
    }
    all.addAll(list);
    return all;
  }

  /** Frees the memory. The model stays open. */
  @Override
  public void close() {
    requireIdle();
    session.close();
  }
}
