package dev.muninn.eval;

import dev.muninn.text.Prompt;
import dev.muninn.weights.CheckpointException;
import dev.muninn.weights.InputFile;
import dev.muninn.weights.JsonFile;
import dev.muninn.weights.JsonLines;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Reads tasks: JSONL, one problem a line, all of one kind.
 *
 * <ul>
 *   <li>multiple choice: {@code prompt}, {@code choices} (texts that follow it), {@code answer}
 *       (the right one's index, from 0); or {@code prompt_tokens} and {@code choices_tokens}
 *   <li>exact match: {@code prompt}, {@code answer} (a text, or a list of texts that are all
 *       right), and if need be {@code example}, {@code pattern}, {@code compare} ({@code text} or
 *       {@code number}), {@code stop} (a list of texts), {@code max_tokens}
 *   <li>perplexity: {@code text} or {@code text_tokens}
 * </ul>
 *
 * <p>Each may have an {@code id}, a text or an integer, which no other line has.
 */
public final class TaskFile {
  private static final String ID = "id";
  private static final String PROMPT = "prompt";
  private static final String PROMPT_TOKENS = "prompt_tokens";
  private static final String CHOICES = "choices";
  private static final String CHOICES_TOKENS = "choices_tokens";
  private static final String ANSWER = "answer";
  private static final String EXAMPLE = "example";
  private static final String PATTERN = "pattern";
  private static final String COMPARE = "compare";
  private static final String STOP = "stop";
  private static final String MAX_TOKENS = "max_tokens";
  private static final String TEXT = "text";
  private static final String TEXT_TOKENS = "text_tokens";

  /** Examples stand apart as paragraphs do. */
  private static final String SEPARATOR = "\n\n";

  private TaskFile() {}

  /**
   * Reads a task, which is called as its file is, without the extension.
   *
   * @throws IOException in one line, if the file cannot be read or a line is no problem; it names
   *     the line
   */
  public static Task read(Path file) throws IOException {
    return read(file.toString(), contents(file));
  }

  /**
   * A file's contents, for {@link #read(String, byte[])}.
   *
   * @throws IOException in one line, if the file cannot be read or is too long
   */
  public static byte[] contents(Path file) throws IOException {
    return InputFile.read(file, JsonLines.MOST_BYTES, "a task");
  }

  /**
   * Reads a task from a file's contents.
   *
   * @param file its name, also for messages
   * @throws IOException in one line, if a line is no problem; it names the line
   */
  public static Task read(String file, byte[] contents) throws IOException {
    List<Problem> problems = new ArrayList<>();
    Map<String, String> whereOfId = new HashMap<>();
    for (JsonLines.Line line :
        JsonLines.read(file, new ByteArrayInputStream(contents), "problems")) {
      Problem problem;
      try {
        problem = problem(line, problems.size() + 1);
      } catch (IllegalArgumentException e) {
        throw new IOException(line.where() + ": " + e.getMessage(), e);
      }
      String earlier = whereOfId.putIfAbsent(problem.id(), problem.where());
      if (earlier != null) {
        throw new IOException(
            line.where()
                + ": id "
                + CheckpointException.quote(problem.id())
                + " is also that of "
                + earlier);
      }
      problems.add(problem);
    }
    String name = Path.of(file).getFileName().toString().replaceFirst("\\.[^.]+$", "");
    try {
      return new Task(name, problems, SEPARATOR, Hash.of(contents));
    } catch (IllegalArgumentException e) {
      throw new IOException(e.getMessage(), e);
    }
  }

  private static Problem problem(JsonLines.Line line, int number) {
    Map<String, Object> object = line.object();
    String where = line.where();
    String id =
        switch (object.get(ID)) {
          case null -> "#" + number;
          case String text -> text;
          case Long integer -> integer.toString();
          case Object other -> throw must(ID, "a text or an integer", other);
        };
    if (object.containsKey(CHOICES) || object.containsKey(CHOICES_TOKENS)) {
      return choice(where, id, object);
    }
    if (object.containsKey(TEXT) || object.containsKey(TEXT_TOKENS)) {
      requireOnly(object, "a text", ID, TEXT, TEXT_TOKENS);
      return new Problem.Text(where, id, prompt(object, TEXT, TEXT_TOKENS));
    }
    if (object.containsKey(ANSWER)) {
      return answer(where, id, object);
    }
    throw new IllegalArgumentException(
        "expected choices and answer (multiple choice), answer (exact match) or text (perplexity)");
  }

  private static Problem choice(String where, String id, Map<String, Object> object) {
    requireOnly(
        object, "multiple choice", ID, PROMPT, PROMPT_TOKENS, CHOICES, CHOICES_TOKENS, ANSWER);
    Prompt question = prompt(object, PROMPT, PROMPT_TOKENS);
    boolean tokens = question instanceof Prompt.Tokens;
    String key = tokens ? CHOICES_TOKENS : CHOICES;
    if (object.containsKey(tokens ? CHOICES : CHOICES_TOKENS)
        || !(object.get(key) instanceof List<?> list)) {
      throw new IllegalArgumentException(
          tokens
              ? "prompt_tokens needs choices_tokens, a list of lists of integers"
              : "prompt needs choices, a list of texts");
    }
    List<Prompt> choices = new ArrayList<>();
    for (Object value : list) {
      String entry = key + '[' + choices.size() + ']';
      choices.add(tokens ? tokens(entry, value) : Prompt.text(entry(entry, value)));
    }
    if (!(object.get(ANSWER) instanceof Long answer)) {
      throw must(ANSWER, "the index of a choice, from 0", object.get(ANSWER));
    }
    int index = Math.clamp(answer, Integer.MIN_VALUE, Integer.MAX_VALUE);
    return new Problem.Choice(where, id, question, choices, index);
  }

  private static Problem answer(String where, String id, Map<String, Object> object) {
    requireOnly(
        object, "exact match", ID, PROMPT, ANSWER, EXAMPLE, PATTERN, COMPARE, STOP, MAX_TOKENS);
    List<String> answers =
        object.get(ANSWER) instanceof List<?>
            ? texts(object, ANSWER)
            : List.of(text(ANSWER, object.get(ANSWER)));
    if (answers.isEmpty()) {
      throw new IllegalArgumentException("answer needs at least 1 entry");
    }
    Object compare = object.getOrDefault(COMPARE, TEXT);
    if (!TEXT.equals(compare) && !"number".equals(compare)) {
      throw must(COMPARE, "\"text\" or \"number\"", compare);
    }
    return new Problem.Answer(
        where,
        id,
        Prompt.text(text(PROMPT, object.get(PROMPT))),
        answers,
        object.containsKey(EXAMPLE) ? text(EXAMPLE, object.get(EXAMPLE)) : answers.getFirst(),
        object.containsKey(PATTERN)
            ? Optional.of(BoundedPattern.compile(text(PATTERN, object.get(PATTERN))))
            : Optional.empty(),
        !TEXT.equals(compare),
        object.containsKey(STOP) ? texts(object, STOP) : List.of(),
        object.containsKey(MAX_TOKENS)
            ? Optional.of(positive(MAX_TOKENS, object.get(MAX_TOKENS)))
            : Optional.empty());
  }

  private static void requireOnly(Map<String, Object> object, String kind, String... keys) {
    Set<String> known = Set.of(keys);
    for (String key : object.keySet()) {
      if (!known.contains(key)) {
        throw new IllegalArgumentException(
            "unknown field "
                + CheckpointException.quote(key)
                + "; "
                + kind
                + " has "
                + String.join(", ", keys));
      }
    }
  }

  private static Prompt prompt(Map<String, Object> object, String text, String tokens) {
    if (object.containsKey(text) == object.containsKey(tokens)) {
      throw new IllegalArgumentException("expected one of " + text + " and " + tokens);
    }
    return object.containsKey(text)
        ? Prompt.text(text(text, object.get(text)))
        : tokens(tokens, object.get(tokens));
  }

  private static String text(String key, Object value) {
    if (value instanceof String text) {
      return text;
    }
    if (value == null) {
      throw new IllegalArgumentException(key + " is missing; expected a text");
    }
    throw must(key, "a text", value);
  }

  private static String entry(String key, Object value) {
    if (value instanceof String text) {
      return text;
    }
    throw must(key, "a text", value);
  }

  private static IllegalArgumentException must(String key, String expected, Object found) {
    return new IllegalArgumentException(
        key + " must be " + expected + ", not " + JsonFile.shown(found));
  }

  private static List<String> texts(Map<String, Object> object, String key) {
    if (!(object.get(key) instanceof List<?> list)) {
      throw must(key, "a list of texts", object.get(key));
    }
    List<String> texts = new ArrayList<>();
    for (Object value : list) {
      texts.add(entry(key + '[' + texts.size() + ']', value));
    }
    return texts;
  }

  private static Prompt tokens(String key, Object value) {
    if (!(value instanceof List<?> list)) {
      throw must(key, "a list of integers", value);
    }
    int[] tokens = new int[list.size()];
    for (int i = 0; i < tokens.length; i++) {
      if (!(list.get(i) instanceof Long token) || token != token.intValue()) {
        throw must(key + '[' + i + ']', "an integer", list.get(i));
      }
      tokens[i] = token.intValue();
    }
    if (tokens.length == 0) {
      throw new IllegalArgumentException(key + " needs at least one token");
    }
    return Prompt.tokens(tokens);
  }

  private static int positive(String key, Object value) {
    if (value instanceof Long number && number >= 1 && number <= Integer.MAX_VALUE) {
      return number.intValue();
    }
    throw must(key, "a whole number of at least 1", value);
  }
}
