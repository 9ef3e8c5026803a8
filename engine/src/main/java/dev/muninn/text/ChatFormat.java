package dev.muninn.text;

import dev.muninn.weights.CheckpointException;
import java.util.ArrayList;
import java.util.List;

/**
 * The layout of a conversation that the Huginn family was trained with: begin-of-text once, then
 * for each message its role in a header, two line breaks, the content and end-of-turn.
 *
 * <p>Roles and contents are plain text: a special token's name in them is only its characters, so a
 * message cannot end a turn or imitate another speaker.
 */
public final class ChatFormat {
  /** The usual name of the model's role; the family's own chat template renames it too. */
  private static final String USUAL_ASSISTANT = "assistant";

  /** Stands between a header and the content. */
  private static final String GAP = "\n\n";

  private ChatFormat() {}

  /** This layout as a template. The family does not think before it answers. */
  public static ChatTemplate template() {
    return (tokenizer, messages, thinking) -> {
      if (thinking.isPresent()) {
        throw new IllegalArgumentException(
            "the model's chat format does not ask whether to think, so thinking cannot be set");
      }
      return encode(tokenizer, messages);
    };
  }

  /**
   * The tokens of a conversation, with the header of the model's answer opened at the end.
   *
   * <p>Contents lose the white space at their ends. The role {@code assistant} is written as {@link
   * ChatMessage#ASSISTANT}.
   *
   * @param tokenizer the tokenizer of a model of the family
   * @param messages at least one message, oldest first
   * @throws CheckpointException if the tokenizer lacks special tokens of the format; names them
   */
  public static int[] encode(Tokenizer tokenizer, List<ChatMessage> messages) {
    if (messages.isEmpty()) {
      throw new IllegalArgumentException("a conversation needs at least one message");
    }
    Writer writer = new Writer(tokenizer);
    for (ChatMessage message : messages) {
      writer.header(message.role());
      writer.content(message.content());
    }
    writer.openAnswer();
    return writer.tokens.toArray();
  }

  /** Without the white space at its ends, as Python and so the chat template understands it. */
  static String trim(String content) {
    int begin = 0;
    int end = content.length();
    while (begin < end && isPythonSpace(content.charAt(begin))) {
      begin++;
    }
    while (end > begin && isPythonSpace(content.charAt(end - 1))) {
      end--;
    }
    return content.substring(begin, end);
  }

  /** Java's white space, and the no-break spaces and next-line that only Python counts. */
  static boolean isPythonSpace(char character) {
    return Character.isWhitespace(character)
        || Character.isSpaceChar(character)
        || character == '\u0085';
  }

  private static final class Writer {
    private final Tokenizer tokenizer;
    private final TokenBuffer tokens = new TokenBuffer();
    private final int beginHeader;
    private final int endHeader;
    private final int endTurn;

    Writer(Tokenizer tokenizer) {
      this.tokenizer = tokenizer;
      List<String> missing = new ArrayList<>();
      final int beginText = find(SpecialTokens.BEGIN_TEXT, missing);
      beginHeader = find(SpecialTokens.BEGIN_HEADER, missing);
      endHeader = find(SpecialTokens.END_HEADER, missing);
      endTurn = find(SpecialTokens.END_TURN, missing);
      if (!missing.isEmpty()) {
        throw new CheckpointException(
            "tokenizer.json has no "
                + String.join(", ", missing)
                + "; a conversation needs a model of the Huginn family's chat format");
      }
      tokens.add(beginText);
    }

    void header(String role) {
      tokens.add(beginHeader);
      tokens.addAll(
          tokenizer.encodePlain(role.equals(USUAL_ASSISTANT) ? ChatMessage.ASSISTANT : role));
      tokens.add(endHeader);
    }

    /** The line breaks and the content are one text to the tokenizer, which may join them. */
    void content(String content) {
      tokens.addAll(tokenizer.encodePlain(GAP + trim(content)));
      tokens.add(endTurn);
    }

    void openAnswer() {
      header(ChatMessage.ASSISTANT);
      tokens.addAll(tokenizer.encodePlain(GAP));
    }

    private int find(String name, List<String> missing) {
      return tokenizer
          .id(name)
          .orElseGet(() -> {
            missing.add(name);
            return 0;
          });
    }
  }
}
