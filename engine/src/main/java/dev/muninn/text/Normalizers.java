package dev.muninn.text;

import java.text.Normalizer;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * What a tokenizer does to a text before it looks for tokens. The library does it; here it is
 * checked and, for long texts, tried out first: one line that replaces {@code 4} by {@code 4444}
 * fourteen times would make gigabytes of a digit.
 */
final class Normalizers {
  /** No public tokenizer grows a text to more than a few times its length. */
  private static final double MAX_GROWTH = 256;

  private static final String TYPES =
      "Sequence, NFC, NFD, NFKC, NFKD, Lowercase, StripAccents, Strip, Prepend, Replace";

  /** One normalizer. */
  private sealed interface Step {
    /** What the step makes of a text that is not empty, or something longer. */
    String apply(String text);

    /** The most that it multiplies the number of bytes by. */
    double growth();

    /** Its form in a tokenizer.json. */
    Map<String, Object> json();
  }

  private record Unicode(Normalizer.Form form) implements Step {
    @Override
    public String apply(String text) {
      return Normalizer.normalize(text, form);
    }

    @Override
    public double growth() {
      return form == Normalizer.Form.NFC || form == Normalizer.Form.NFD ? 4 : 12;
    }

    @Override
    public Map<String, Object> json() {
      return Map.of("type", form.name());
    }
  }

  private record Lowercase() implements Step {
    @Override
    public String apply(String text) {
      return text.toLowerCase(Locale.ROOT);
    }

    @Override
    public double growth() {
      return 2;
    }

    @Override
    public Map<String, Object> json() {
      return Map.of("type", "Lowercase");
    }
  }

  /** A step that only takes away. */
  private record Removal(Map<String, Object> json) implements Step {
    @Override
    public String apply(String text) {
      return text;
    }

    @Override
    public double growth() {
      return 1;
    }
  }

  private record Prepend(String prefix) implements Step {
    @Override
    public String apply(String text) {
      return prefix + text;
    }

    @Override
    public double growth() {
      // Once, before a text of at least a byte.
      return 1 + Utf8.length(prefix);
    }

    @Override
    public Map<String, Object> json() {
      return Map.of("type", "Prepend", "prepend", prefix);
    }
  }

  private record Replace(String pattern, String content) implements Step {
    @Override
    public String apply(String text) {
      return text.replace(pattern, content);
    }

    @Override
    public double growth() {
      return Math.max(1, (double) Utf8.length(content) / Utf8.length(pattern));
    }

    @Override
    public Map<String, Object> json() {
      return Map.of("type", "Replace", "pattern", Map.of("String", pattern), "content", content);
    }
  }

  /** Replaces runs by at most as much text as each of their characters has. */
  private record ReplaceRuns(String regex, String content) implements Step {
    @Override
    public String apply(String text) {
      return text;
    }

    @Override
    public double growth() {
      return 1;
    }

    @Override
    public Map<String, Object> json() {
      return Map.of("type", "Replace", "pattern", Map.of("Regex", regex), "content", content);
    }
  }

  private final List<Step> steps = new ArrayList<>();
  private final boolean present;
  private boolean removes;

  /**
   * Reads the normalizers.
   *
   * @param part the {@code normalizer} of the file, or null
   * @throws dev.muninn.weights.CheckpointException if one is not known to be safe, or all together
   *     could make a text much longer
   */
  Normalizers(TokenizerPart part) {
    present = part != null;
    if (present) {
      double growth = 1;
      for (TokenizerPart step : part.steps("normalizers")) {
        steps.add(step(step));
        growth *= steps.getLast().growth();
        if (growth > MAX_GROWTH) {
          throw step.refusal(
              "makes texts more than " + (int) MAX_GROWTH + " times as long, expected less");
        }
      }
    }
  }

  private Step step(TokenizerPart part) {
    return switch (part.type()) {
      case "NFC", "NFD", "NFKC", "NFKD" -> new Unicode(Normalizer.Form.valueOf(part.type()));
      case "Lowercase" -> new Lowercase();
      case "StripAccents" -> removal(Map.of("type", "StripAccents"));
      case "Strip" ->
          removal(
              Map.of(
                  "type",
                  "Strip",
                  "strip_left",
                  part.flag("strip_left", false),
                  "strip_right",
                  part.flag("strip_right", false)));
      case "Prepend" -> {
        String prefix = part.text("prepend");
        if (prefix.isEmpty()) {
          throw part.refusal("prepend is \"\", expected at least one character");
        }
        yield new Prepend(prefix);
      }
      case "Replace" -> replace(part);
      default -> throw part.unknownType(TYPES);
    };
  }

  private Step removal(Map<String, Object> json) {
    removes = true;
    return new Removal(json);
  }

  private Step replace(TokenizerPart part) {
    String content = part.text("content");
    TokenizerPart pattern = part.child("pattern");
    if (pattern == null || pattern.has("String") == pattern.has("Regex")) {
      throw part.refusal("has no pattern, expected {\"String\": ...} or {\"Regex\": ...}");
    }
    if (pattern.has("Regex")) {
      String regex = pattern.text("Regex");
      if (!SafeRegex.isRun(regex) || Utf8.length(content) != 1) {
        throw pattern.refusal(
            "the regular expression is not one character or class, repeated and replaced by one byte");
      }
      removes = true;
      return new ReplaceRuns(regex, content);
    }
    String replaced = pattern.text("String");
    if (replaced.isEmpty()) {
      throw part.refusal("replaces \"\", expected at least one character");
    }
    return new Replace(replaced, content);
  }

  /** Whether a text may come out shorter than {@link #apply} says. */
  boolean remove() {
    return removes;
  }

  /** The most that a text's number of bytes is multiplied by. */
  double growth() {
    double growth = 1;
    for (Step step : steps) {
      growth *= step.growth();
    }
    return growth;
  }

  /**
   * How many bytes a text has at its longest on the way through the normalizers, or more than the
   * limit as soon as that is certain.
   */
  long longest(String text, long limit) {
    long longest = Utf8.length(text);
    if (longest * growth() <= limit) {
      return longest;
    }
    String current = text;
    for (Step step : steps) {
      if (longest > limit || current.isEmpty()) {
        break;
      }
      current = step.apply(current);
      longest = Math.max(longest, Utf8.length(current));
    }
    return longest;
  }

  /** What becomes of a text, at least about: what is only taken away is left. */
  String apply(String text) {
    String current = text;
    for (Step step : steps) {
      current = current.isEmpty() ? current : step.apply(current);
    }
    return current;
  }

  /** The normalizers in a form that says no more than what was read; null for none. */
  Object json() {
    return present
        ? Map.of("type", "Sequence", "normalizers", steps.stream().map(Step::json).toList())
        : null;
  }
}
