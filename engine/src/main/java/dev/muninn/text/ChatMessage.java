package dev.muninn.text;

import java.util.Objects;

/**
 * One message of a conversation.
 *
 * @param role who speaks: {@link #SYSTEM}, {@link #USER}, {@link #ASSISTANT} or another name; not
 *     blank, in one line, without white space at its ends
 * @param content what is said; may be empty
 */
public record ChatMessage(String role, String content) {
  /** Instructions to the model. */
  public static final String SYSTEM = "system";

  /** The user, who asks. */
  public static final String USER = "user";

  /** The model, by the name it was trained with. */
  public static final String ASSISTANT = "Huginn";

  public ChatMessage {
    Objects.requireNonNull(role, "role");
    Objects.requireNonNull(content, "content");
    if (role.isBlank() || !role.equals(role.strip()) || role.lines().count() > 1) {
      throw new IllegalArgumentException(
          "a role must be a name in one line without white space around it, not \""
              + role.lines().findFirst().orElse("")
              + "\"");
    }
  }

  /** Instructions to the model. */
  public static ChatMessage system(String content) {
    return new ChatMessage(SYSTEM, content);
  }

  /** A question or answer of the user. */
  public static ChatMessage user(String content) {
    return new ChatMessage(USER, content);
  }

  /** A former answer of the model. */
  public static ChatMessage assistant(String content) {
    return new ChatMessage(ASSISTANT, content);
  }
}
