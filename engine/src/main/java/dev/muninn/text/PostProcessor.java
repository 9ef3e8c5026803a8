package dev.muninn.text;

import static dev.muninn.weights.CheckpointException.quote;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * What a tokenizer puts around a text: the {@code post_processor} of a tokenizer.json. The library
 * is not told of it; {@link TextFrame} has the tokens.
 */
final class PostProcessor {
  static final String KEY = "post_processor";

  private static final String TYPES =
      "Sequence, ByteLevel, TemplateProcessing, RobertaProcessing, BertProcessing";

  private static final int MAX_TOKENS = 64;

  private final TokenizerPart file;
  private final List<Integer> before = new ArrayList<>();
  private final List<Integer> behind = new ArrayList<>();

  /**
   * Reads it.
   *
   * @param file the whole file
   * @throws dev.muninn.weights.CheckpointException if it is of an unknown type, names a token that
   *     the file lacks, or does not frame one text
   */
  PostProcessor(TokenizerPart file) {
    this.file = file;
    TokenizerPart part = file.child(KEY);
    if (part == null) {
      return;
    }
    boolean framed = false;
    for (TokenizerPart step : part.steps("processors")) {
      switch (step.type()) {
        case "TemplateProcessing" -> readTemplate(step);
        case "RobertaProcessing", "BertProcessing" -> {
          before.add(pair(step, "cls"));
          behind.add(pair(step, "sep"));
        }
        case "ByteLevel" -> {
          // It changes only where tokens stand in the text.
          continue;
        }
        default -> throw step.unknownType(TYPES);
      }
      if (framed) {
        throw step.refusal("a second step that adds tokens, expected at most one");
      }
      framed = true;
      if (before.size() + behind.size() > MAX_TOKENS) {
        throw step.refusal("puts more than " + MAX_TOKENS + " tokens around a text");
      }
    }
  }

  /** The ids of the tokens before a text, in order. */
  List<Integer> before() {
    return before;
  }

  /** The ids of the tokens behind a text, in order. */
  List<Integer> behind() {
    return behind;
  }

  private void readTemplate(TokenizerPart part) {
    boolean text = false;
    for (TokenizerPart piece : part.children("single")) {
      if (piece.has("SpecialToken")) {
        (text ? behind : before).addAll(ids(part, piece.child("SpecialToken").text("id")));
      } else if (!piece.has("Sequence")) {
        throw piece.refusal("neither a SpecialToken nor a Sequence");
      } else if (text || !piece.child("Sequence").text("id").equals("A")) {
        throw piece.refusal("the text is there once, as the Sequence A");
      } else {
        text = true;
      }
    }
    if (!text) {
      throw part.refusal("single leaves out the text, expected the Sequence A");
    }
  }

  /** The ids that a template's special token stands for. */
  private List<Integer> ids(TokenizerPart part, String name) {
    if (!(part.map("special_tokens").get(name) instanceof Map<?, ?> special)
        || !(special.get("ids") instanceof List<?> list)
        || list.isEmpty()
        || list.size() > MAX_TOKENS) {
      throw part.refusal("special_tokens has no " + quote(name) + " with ids, which single names");
    }
    List<Integer> ids = new ArrayList<>();
    for (Object id : list) {
      if (name(id) == null) {
        throw part.refusal(
            "the token " + quote(name) + " has the id " + id + ", which no token has");
      }
      ids.add(((Long) id).intValue());
    }
    return ids;
  }

  /** The id of a token that is given as its name and id. */
  private int pair(TokenizerPart part, String member) {
    List<?> pair = part.list(member);
    if (pair.size() != 2
        || !(pair.getFirst() instanceof String name)
        || !(pair.getLast() instanceof Long id)
        || !name.equals(name(id))) {
      throw part.refusal(member + " is not a token, expected its name and its id");
    }
    return id.intValue();
  }

  private String name(Object id) {
    for (TokenizerPart token : file.children("added_tokens")) {
      if (Objects.equals(id, token.value("id")) && token.value("content") instanceof String name) {
        return name;
      }
    }
    for (Map.Entry<?, ?> entry : file.child("model").map("vocab").entrySet()) {
      if (Objects.equals(id, entry.getValue())) {
        return (String) entry.getKey();
      }
    }
    return null;
  }
}
