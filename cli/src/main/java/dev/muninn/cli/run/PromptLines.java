package dev.muninn.cli.run;

import dev.muninn.text.ChatMessage;
import dev.muninn.text.Prompt;
import dev.muninn.weights.CheckpointException;
import dev.muninn.weights.JsonFile;
import dev.muninn.weights.JsonLines;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Prompts of a JSONL file: on each line an object with {@code prompt} (a text), {@code messages} (a
 * conversation of objects with {@code role} and {@code content}) or {@code prompt_tokens}, and
 * possibly an {@code id}, which stands with its result again.
 */
public final class PromptLines {
  private static final String PROMPT = "prompt";
  private static final String MESSAGES = "messages";
  private static final String PROMPT_TOKENS = "prompt_tokens";

  /** What may hold the prompt. */
  public static final List<String> PROMPT_KEYS = List.of(PROMPT, MESSAGES, PROMPT_TOKENS);

  private static final Set<String> KEYS = Set.of("id", PROMPT, MESSAGES, PROMPT_TOKENS);

  private PromptLines() {}

  /**
   * One line.
   *
   * @param where the file and the line's number, for messages
   * @param id a string or an integer, or null
   */
  record Line(String where, Object id, Prompt prompt) {}

  /** Reads all lines of a file, or of standard input if it is called {@code -}. */
  static List<Line> read(String file, InputStream standardInput) throws IOException {
    List<JsonLines.Line> objects =
        file.equals("-")
            ? JsonLines.read("standard input", standardInput, "prompts")
            : JsonLines.read(Path.of(file), "prompts");
    List<Line> lines = new ArrayList<>();
    for (JsonLines.Line object : objects) {
      lines.add(line(object.where(), object.object()));
    }
    return lines;
  }

  private static Line line(String where, Map<String, Object> object) throws IOException {
    for (String key : object.keySet()) {
      if (!KEYS.contains(key)) {
        throw new IOException(
            where
                + ": key "
                + CheckpointException.quote(key)
                + " is none of id, prompt, messages, prompt_tokens");
      }
    }
    Object id = object.get("id");
    if (id != null && !(id instanceof String) && !(id instanceof Long)) {
      throw new IOException(where + ": id must be a text or an integer, not " + JsonFile.shown(id));
    }
    Map<String, Object> prompts = new LinkedHashMap<>(object);
    prompts.remove("id");
    try {
      return new Line(where, id, prompt(prompts));
    } catch (IllegalArgumentException e) {
      throw new IOException(where + ": " + e.getMessage(), e);
    }
  }

  /**
   * Reads a prompt.
   *
   * @param object one of the {@link #PROMPT_KEYS}, with values as JSON has them: texts, lists,
   *     maps, and integers as {@code Long}
   * @throws IllegalArgumentException in one line, if it is no prompt
   */
  public static Prompt prompt(Map<String, Object> object) {
    List<Prompt> prompts = new ArrayList<>();
    if (object.get(PROMPT) instanceof String prompt) {
      prompts.add(Prompt.text(prompt));
    }
    if (object.get(MESSAGES) instanceof List<?> messages) {
      prompts.add(Prompt.chat(messages.stream().map(PromptLines::message).toList()));
    }
    if (object.get(PROMPT_TOKENS) instanceof List<?> tokens) {
      prompts.add(Prompt.tokens(tokens.stream().mapToInt(PromptLines::token).toArray()));
    }
    if (prompts.size() != 1 || object.size() != 1) {
      throw new IllegalArgumentException(
          "expected one of prompt (a text), messages (a list of objects) and prompt_tokens (a list"
              + " of integers)");
    }
    return prompts.getFirst();
  }

  private static ChatMessage message(Object value) {
    if (!(value instanceof Map<?, ?> message)) {
      throw new IllegalArgumentException(
          "a message must be an object with role and content, not " + JsonFile.shown(value));
    }
    if (!(message.get("role") instanceof String role)) {
      throw new IllegalArgumentException(
          "the role of a message must be a text, not " + JsonFile.shown(message.get("role")));
    }
    for (Object key : message.keySet()) {
      if (!key.equals("role") && !key.equals("content")) {
        throw new IllegalArgumentException(
            "a message has "
                + CheckpointException.quote(key.toString())
                + "; expected only role and content");
      }
    }
    return new ChatMessage(role, content(message.get("content")));
  }

  /** A text, or parts of one as chat servers take them. */
  private static String content(Object value) {
    if (value instanceof String text) {
      return text;
    }
    if (!(value instanceof List<?> parts)) {
      throw new IllegalArgumentException(
          "the content of a message must be a text or a list of text parts, not "
              + JsonFile.shown(value));
    }
    StringBuilder text = new StringBuilder();
    for (Object part : parts) {
      if (part instanceof Map<?, ?> object
          && "text".equals(object.get("type"))
          && object.get("text") instanceof String piece) {
        text.append(piece);
      } else {
        String type =
            part instanceof Map<?, ?> object && object.get("type") instanceof String name
                ? "of type " + CheckpointException.quote(name)
                : "without a type";
        throw new IllegalArgumentException(
            "a content part "
                + type
                + " cannot be read; expected {\"type\":\"text\",\"text\":...}");
      }
    }
    return text.toString();
  }

  private static int token(Object value) {
    if (value instanceof Long number && number == number.intValue()) {
      return number.intValue();
    }
    throw new IllegalArgumentException("a token is an integer, not " + JsonFile.shown(value));
  }
}
