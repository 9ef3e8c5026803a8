package dev.muninn.cli.serve;

import dev.muninn.cli.output.Json;
import dev.muninn.decode.TokenProbability;
import dev.muninn.text.Tokenizer;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.core.JsonGenerator;

/** Answers of /v1/completions. */
final class CompletionReply extends Reply {

  CompletionReply(String model, Tokenizer tokenizer, Question question) {
    super("cmpl-", model, tokenizer, question);
  }

  @Override
  String kind(boolean whole) {
    return "text_completion";
  }

  @Override
  String opening(int answer) {
    return "";
  }

  @Override
  void content(JsonGenerator json, String text, boolean whole) {
    json.writeStringProperty("text", text);
  }

  @Override
  void probabilities(JsonGenerator json, List<Piece.Token> tokens, Draft draft) {
    List<String> texts = tokens.stream().map(token -> text(token.id())).toList();
    json.writeArrayPropertyStart("tokens");
    texts.forEach(json::writeString);
    json.writeEndArray();
    json.writeArrayPropertyStart("token_logprobs");
    tokens.forEach(token -> Json.number(json, token.logProbability()));
    json.writeEndArray();
    json.writeArrayPropertyStart("top_logprobs");
    tokens.forEach(token -> likeliest(json, token));
    json.writeEndArray();
    json.writeArrayPropertyStart("text_offset");
    for (int i = 0; i < texts.size(); i++) {
      // The name of a special token is not part of the text.
      boolean special = tokenizer.bytes(tokens.get(i).id()).length == 0;
      String text = special ? "" : texts.get(i);
      json.writeNumber(draft.advance(text.codePointCount(0, text.length())));
    }
    json.writeEndArray();
  }

  /** By their texts; of two tokens with the same text the likelier one. */
  private void likeliest(JsonGenerator json, Piece.Token token) {
    List<TokenProbability> alternatives = alternatives(token);
    if (alternatives.isEmpty()) {
      json.writeNull();
      return;
    }
    Map<String, Double> byText = new LinkedHashMap<>();
    for (TokenProbability other : alternatives) {
      byText.putIfAbsent(text(other.token()), other.logProbability());
    }
    byText.putIfAbsent(text(token.id()), token.logProbability());
    json.writeStartObject();
    byText.forEach((text, logProbability) -> Json.number(json, text, logProbability));
    json.writeEndObject();
  }
}
