package dev.muninn.text;

import static dev.muninn.weights.CheckpointException.quote;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** How a tokenizer cuts a text into words, before it merges characters within each. */
final class PreTokenizers {
  private static final List<String> BEHAVIORS =
      List.of("Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous");

  private static final Set<String> SCHEMES = Set.of("first", "never", "always");

  private static final String TYPES =
      "Sequence, ByteLevel, Split, Metaspace, Digits, Punctuation, Whitespace, WhitespaceSplit";

  private final List<Map<String, Object>> steps = new ArrayList<>();
  private final boolean present;
  private boolean removes;
  private boolean byteLevel;
  private Optional<Boolean> prefixSpace = Optional.empty();

  /**
   * Reads the pre-tokenizers.
   *
   * @param part the {@code pre_tokenizer} of the file, or null
   * @throws dev.muninn.weights.CheckpointException if one is not known to be safe
   */
  PreTokenizers(TokenizerPart part) {
    present = part != null;
    if (present) {
      for (TokenizerPart step : part.steps("pretokenizers")) {
        steps.add(step(step));
      }
    }
  }

  private Map<String, Object> step(TokenizerPart part) {
    Map<String, Object> json = new HashMap<>();
    json.put("type", part.type());
    switch (part.type()) {
      case "ByteLevel" -> {
        json.put("add_prefix_space", part.flag("add_prefix_space", true));
        json.put("trim_offsets", true);
        json.put("use_regex", part.flag("use_regex", true));
        if (byteLevel) {
          throw part.refusal("a second ByteLevel, which would take the first one's bytes for text");
        }
        byteLevel = true;
        prefixSpace = Optional.of(part.flag("add_prefix_space", true));
      }
      case "Split" -> {
        json.put("pattern", pattern(part));
        json.put("behavior", behavior(part));
        json.put("invert", part.flag("invert", false));
      }
      case "Metaspace" -> {
        json.put("replacement", replacement(part));
        json.put("prepend_scheme", scheme(part));
        json.put("split", part.flag("split", true));
      }
      case "Digits" -> json.put("individual_digits", part.flag("individual_digits", false));
      case "Punctuation" ->
          json.put("behavior", part.has("behavior") ? behavior(part) : "Isolated");
      case "Whitespace", "WhitespaceSplit" -> removes = true;
      default -> throw part.unknownType(TYPES);
    }
    return json;
  }

  private static Map<String, Object> pattern(TokenizerPart part) {
    TokenizerPart pattern = part.child("pattern");
    if (pattern == null || pattern.has("String") == pattern.has("Regex")) {
      throw part.refusal("has no pattern, expected {\"String\": ...} or {\"Regex\": ...}");
    }
    if (pattern.has("String")) {
      String text = pattern.text("String");
      if (text.isEmpty()) {
        throw part.refusal("splits at \"\", expected at least one character");
      }
      return Map.of("String", text);
    }
    String regex = pattern.text("Regex");
    if (!SafeRegex.accepts(regex)) {
      throw pattern.refusal(
          "the regular expression "
              + quote(regex)
              + " is not one that is known to be matched in linear time");
    }
    return Map.of("Regex", regex);
  }

  private String behavior(TokenizerPart part) {
    String behavior = part.text("behavior");
    if (!BEHAVIORS.contains(behavior)) {
      throw part.refusal(
          "behavior "
              + quote(behavior)
              + " is unknown, expected one of "
              + String.join(", ", BEHAVIORS));
    }
    removes |= behavior.equals("Removed");
    return behavior;
  }

  /** The one character that stands for a space in a Metaspace. */
  static String replacement(TokenizerPart part) {
    String replacement = part.text("replacement");
    if (replacement.codePointCount(0, replacement.length()) != 1) {
      throw part.refusal("replacement is " + quote(replacement) + ", expected one character");
    }
    return replacement;
  }

  /** Where a Metaspace puts a space before a text; files once said only whether. */
  static String scheme(TokenizerPart part) {
    if (!part.has("prepend_scheme")) {
      return part.flag("add_prefix_space", true) ? "always" : "never";
    }
    String scheme = part.text("prepend_scheme");
    if (!SCHEMES.contains(scheme)) {
      throw part.refusal(
          "prepend_scheme is " + quote(scheme) + ", expected first, never or always");
    }
    return scheme;
  }

  /** Whether a part of the text may be left out. */
  boolean remove() {
    return removes;
  }

  /** Whether the words are bytes, each written as a character. */
  boolean areBytes() {
    return byteLevel;
  }

  /** Whether ByteLevel puts a space before a text; empty without a ByteLevel. */
  Optional<Boolean> addsPrefixSpace() {
    return prefixSpace;
  }

  /** The pre-tokenizers in a form that says no more than what was read; null for none. */
  Object json() {
    return present ? Map.of("type", "Sequence", "pretokenizers", steps) : null;
  }
}
