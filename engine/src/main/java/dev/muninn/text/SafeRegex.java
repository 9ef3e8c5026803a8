package dev.muninn.text;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The regular expressions of pre-tokenizers that a backtracking engine surely matches in time
 * linear in the text. The engine of the tokenizer library gives up after a number of steps, and
 * that ends the process.
 *
 * <p>An expression is a choice between alternatives. Each is one that public tokenizers use and
 * that is known to be harmless, or has this form: characters and classes, each perhaps optional or
 * repeated. What stands behind an unbounded repetition may match nothing, so the engine never has a
 * reason to go back into it. Groups are only a choice between literal texts.
 */
final class SafeRegex {
  /** Behind {@code \s+}, which takes up what these leave. */
  private static final Set<String> BEFORE_SPACES =
      Set.of("\\s*[\\r\\n]+", "\\s*[\\r\\n]", "\\s+(?!\\S)", "\\s+$", "\\s++$", "\\s*[\\r\\n]++");

  private static final String LITERALS = "([^\\\\\\[\\](){}*+?.^$|]|\\[[A-Za-z]+\\])+";

  /** The words of tokenizers that tell upper case from lower case: no run is gone over twice. */
  private static final Set<String> WORDS =
      Set.of(
          "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+"
              + "(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
          "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*"
              + "(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
          "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+",
          "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*",
          // The same with a look ahead, which costs one step.
          "\\p{N}{1,3}(?=(?:\\p{N}{3})*(?!\\p{N}))");

  private static final Pattern GROUP =
      Pattern.compile("\\((\\?i?:)?" + LITERALS + "(\\|" + LITERALS + ")*\\)");

  private static final int MAX_LENGTH = 2_000;
  private static final int MAX_REPEAT = 64;
  private static final int MAX_CHOICES = 64;

  private final String text;
  private int at;

  private SafeRegex(String text) {
    this.text = text;
  }

  /** Whether an expression is surely harmless. */
  static boolean accepts(String regex) {
    if (regex.isEmpty() || regex.length() > MAX_LENGTH) {
      return false;
    }
    List<String> alternatives = alternatives(regex);
    if (alternatives == null) {
      return false;
    }
    boolean spaces = alternatives.contains("\\s+") || alternatives.contains("\\s++");
    for (String alternative : alternatives) {
      boolean known = WORDS.contains(alternative) || spaces && BEFORE_SPACES.contains(alternative);
      if (!known && !new SafeRegex(alternative).isSimple()) {
        return false;
      }
    }
    return true;
  }

  /** Whether an expression is one character or class, repeated: {@code \s+} or {@code \s{2,}}. */
  static boolean isRun(String regex) {
    if (regex.isEmpty() || regex.length() > MAX_LENGTH) {
      return false;
    }
    SafeRegex run = new SafeRegex(regex.endsWith("{2,}") ? regex.replace("{2,}", "+") : regex);
    if (!run.atom()) {
      return false;
    }
    int[] bounds = run.quantifier();
    return bounds != null && bounds[0] == 1 && run.at == run.text.length();
  }

  /** The alternatives on the top level, or null if brackets do not match. */
  private static List<String> alternatives(String regex) {
    List<String> alternatives = new ArrayList<>();
    int begin = 0;
    int groups = 0;
    boolean inClass = false;
    for (int i = 0; i < regex.length(); i++) {
      switch (regex.charAt(i)) {
        case '\\' -> i++;
        case '[' -> {
          if (inClass) {
            return null;
          }
          inClass = true;
        }
        case ']' -> inClass = false;
        case '(' -> groups += inClass ? 0 : 1;
        case ')' -> groups -= inClass ? 0 : 1;
        case '|' -> {
          if (groups == 0 && !inClass) {
            alternatives.add(regex.substring(begin, i));
            begin = i + 1;
          }
        }
        default -> {}
      }
    }
    alternatives.add(regex.substring(begin));
    return inClass || groups != 0 ? null : alternatives;
  }

  private boolean isSimple() {
    boolean unbounded = false;
    boolean consumes = false;
    // In how many ways what is bounded can be repeated.
    long choices = 1;
    while (at < text.length()) {
      if (!atom()) {
        return false;
      }
      int[] bounds = quantifier();
      if (bounds == null || unbounded && bounds[0] > 0) {
        return false;
      }
      unbounded |= bounds[1] == Integer.MAX_VALUE;
      if (bounds[1] != Integer.MAX_VALUE) {
        choices *= bounds[1] - bounds[0] + 1;
      }
      consumes |= bounds[0] > 0;
      if (choices > MAX_CHOICES) {
        return false;
      }
    }
    // An expression that matches nothing would match everywhere.
    return consumes;
  }

  /** Reads one character, escape, class or group of literals. */
  private boolean atom() {
    return switch (text.charAt(at)) {
      case '\\' -> escape();
      case '[' -> characterClass();
      case '(' -> group();
      case '*', '+', '?', '{', '}', ']', ')', '^', '$', '|' -> false;
      default -> {
        at += Character.charCount(text.codePointAt(at));
        yield true;
      }
    };
  }

  private boolean escape() {
    if (at + 1 >= text.length()) {
      return false;
    }
    char kind = text.charAt(at + 1);
    at += 2;
    if (kind == 'p' || kind == 'P') {
      int end = text.indexOf('}', at);
      if (at >= text.length() || text.charAt(at) != '{' || end < 0) {
        return false;
      }
      boolean name = text.substring(at + 1, end).matches("\\^?[A-Za-z]{1,30}");
      at = end + 1;
      return name;
    }
    return "sSdDwWrnt".indexOf(kind) >= 0
        || kind < 128 && !Character.isLetterOrDigit(kind) && kind > ' ';
  }

  private boolean characterClass() {
    at++;
    if (at < text.length() && text.charAt(at) == '^') {
      at++;
    }
    int begin = at;
    while (at < text.length() && text.charAt(at) != ']') {
      if (text.charAt(at) == '[' || text.startsWith("&&", at)) {
        return false;
      }
      if (text.charAt(at) != '\\') {
        at++;
      } else if (!escape()) {
        return false;
      }
    }
    boolean filled = at > begin && at < text.length();
    at++;
    return filled;
  }

  /** {@code (?i:'s|'t)}, {@code (?:a|b)} or {@code (a|[bc])}: literals and plain classes only. */
  private boolean group() {
    int end = text.indexOf(')', at);
    if (end < 0) {
      return false;
    }
    Matcher group = GROUP.matcher(text.substring(at, end + 1));
    at = end + 1;
    return group.matches() && (at >= text.length() || "*+{".indexOf(text.charAt(at)) < 0);
  }

  /** Fewest and most repetitions; null if what is there is not understood. */
  private int[] quantifier() {
    int[] bounds = {1, 1};
    if (at >= text.length()) {
      return bounds;
    }
    switch (text.charAt(at)) {
      case '?' -> bounds = new int[] {0, 1};
      case '*' -> bounds = new int[] {0, Integer.MAX_VALUE};
      case '+' -> bounds = new int[] {1, Integer.MAX_VALUE};
      case '{' -> {
        int end = text.indexOf('}', at);
        String inside = end < 0 ? "" : text.substring(at + 1, end);
        if (!inside.matches("\\d{1,2}(,\\d{1,2})?")) {
          return null;
        }
        String[] parts = inside.split(",");
        bounds = new int[] {Integer.parseInt(parts[0]), Integer.parseInt(parts[parts.length - 1])};
        if (bounds[1] < bounds[0] || bounds[1] > MAX_REPEAT || bounds[1] == 0) {
          return null;
        }
        at = end;
      }
      default -> {
        return bounds;
      }
    }
    at++;
    if (at < text.length() && (text.charAt(at) == '+' || text.charAt(at) == '?')) {
      // Behind a count the library takes this for a second quantifier, one of the first.
      if (text.charAt(at - 1) == '}') {
        return null;
      }
      at++;
    }
    return at < text.length() && "*+?{".indexOf(text.charAt(at)) >= 0 ? null : bounds;
  }
}
