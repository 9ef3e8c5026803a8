package dev.muninn.text;

import static dev.muninn.weights.CheckpointException.quote;

import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * What a tokenizer puts around a text: the {@code post_processor} of a tokenizer.json. Only the
 * token before a text counts here. The library is not told of it.
 */
final class PostProcessor {
  private static final String TYPES =
      "Sequence, ByteLevel, TemplateProcessing, RobertaProcessing, BertProcessing";

  private final TokenizerPart file;
  private String first;

  /**
   * Reads it.
   *
   * @param file the whole file
   * @throws dev.muninn.weights.CheckpointException if it is of an unknown type or names a token
   *     that the file lacks
   */
  PostProcessor(TokenizerPart file) {
    this.file = file;
    TokenizerPart part = file.child("post_processor");
    if (part == null) {
      return;
    }
    for (TokenizerPart step : part.steps("processors")) {
      switch (step.type()) {
        case "ByteLevel" -> {}
        case "TemplateProcessing" -> readTemplate(step);
        case "RobertaProcessing", "BertProcessing" -> {
          List<?> start = step.list("cls");
          if (start.isEmpty() || !(start.getFirst() instanceof String name)) {
            throw step.refusal("cls is not a token");
          }
          first = name;
        }
        default -> throw step.unknownType(TYPES);
      }
    }
  }

  /** The first of the tokens before a text, or null. */
  String first() {
    return first;
  }

  private void readTemplate(TokenizerPart part) {
    List<TokenizerPart> pieces = part.children("single");
    for (int i = 0; i < pieces.size(); i++) {
      TokenizerPart piece = pieces.get(i);
      if (piece.has("SpecialToken")) {
        String name = piece.child("SpecialToken").text("id");
        String token = token(part, name);
        if (i == 0) {
          first = token;
        }
      } else if (!piece.has("Sequence")) {
        throw piece.refusal("neither a SpecialToken nor a Sequence");
      }
    }
  }

  /** The name of the first token that a template's special token stands for. */
  private String token(TokenizerPart part, String name) {
    if (!(part.map("special_tokens").get(name) instanceof Map<?, ?> special)
        || !(special.get("ids") instanceof List<?> ids)
        || ids.isEmpty()) {
      throw part.refusal("special_tokens has no " + quote(name) + " with ids, which single names");
    }
    String found = null;
    for (Object id : ids) {
      String token = name(id);
      if (token == null) {
        throw part.refusal(
            "the token " + quote(name) + " has the id " + id + ", which no token has");
      }
      found = found == null ? token : found;
    }
    return found;
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
