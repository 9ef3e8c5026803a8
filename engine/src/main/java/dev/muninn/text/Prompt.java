package dev.muninn.text;

import java.util.Arrays;
import java.util.List;
import java.util.Objects;

/** What a model is asked to continue: a text, a conversation, or tokens exactly as they are. */
public sealed interface Prompt {

  /** A text; the tokenizer puts the begin-of-text token before it. */
  static Prompt text(String text) {
    return new Text(text);
  }

  /** A conversation, laid out in the family's chat format and opened for the model's answer. */
  static Prompt chat(List<ChatMessage> messages) {
    return new Chat(messages);
  }

  /** Token ids, to which nothing is added. */
  static Prompt tokens(int... tokens) {
    return new Tokens(tokens);
  }

  /** A text; the tokenizer puts the begin-of-text token before it. */
  record Text(String text) implements Prompt {
    public Text {
      Objects.requireNonNull(text, "text");
    }
  }

  /** A conversation of at least one message. */
  record Chat(List<ChatMessage> messages) implements Prompt {
    public Chat {
      messages = List.copyOf(messages);
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
