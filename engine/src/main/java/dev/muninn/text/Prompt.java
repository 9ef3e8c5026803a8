package dev.muninn.text;

import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/** What a model is asked to continue: a text, a conversation, or tokens exactly as they are. */
public sealed interface Prompt {

  /** A text; the tokenizer adds its own tokens, such as begin-of-text. */
  static Prompt text(String text) {
    return new Text(text);
  }

  /** A conversation, laid out by the model's chat template and opened for the model's answer. */
  static Prompt chat(List<ChatMessage> messages) {
    return new Chat(messages, Optional.empty());
  }

  /**
   * A conversation with a model that can think before it answers.
   *
   * @param thinking whether it is to; only for models whose chat template asks
   */
  static Prompt chat(List<ChatMessage> messages, Optional<Boolean> thinking) {
    return new Chat(messages, thinking);
  }

  /** Token ids, to which nothing is added. */
  static Prompt tokens(int... tokens) {
    return new Tokens(tokens);
  }

  /** A text; the tokenizer adds its own tokens, such as begin-of-text. */
  record Text(String text) implements Prompt {
    public Text {
      Objects.requireNonNull(text, "text");
    }
  }

  /**
   * A conversation of at least one message.
   *
   * @param thinking whether the model is to think first; empty for its own choice
   */
  record Chat(List<ChatMessage> messages, Optional<Boolean> thinking) implements Prompt {
    public Chat {
      messages = List.copyOf(messages);
      Objects.requireNonNull(thinking, "thinking");
      if (messages.isEmpty()) {
        throw new IllegalArgumentException("a conversation needs at least one message");
      }
    }
  }

  /** Token ids, to which nothing is added; at least one. */
  record Tokens(int... tokens) implements Prompt {
    public Tokens {
      tokens = tokens.clone();
      if (tokens.length == 0) {
        throw new IllegalArgumentException("a prompt needs at least one token");
      }
    }

    @Override
    public int[] tokens() {
      return tokens.clone();
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof Tokens that && Arrays.equals(tokens, that.tokens);
    }

    @Override
    public int hashCode() {
      return Arrays.hashCode(tokens);
    }

    @Override
    public String toString() {
      return "Tokens" + Arrays.toString(tokens);
    }
  }
}
