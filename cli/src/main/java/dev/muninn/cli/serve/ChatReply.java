package dev.muninn.cli.serve;

import dev.muninn.cli.output.Json;
import dev.muninn.decode.TokenProbability;
import dev.muninn.text.Tokenizer;
import java.util.List;
import tools.jackson.core.JsonGenerator;

/** Answers of /v1/chat/completions. */
final class ChatReply extends Reply {
  private static final String ROLE = "assistant";

  ChatReply(String model, Tokenizer tokenizer, Question question) {
    super("chatcmpl-", model, tokenizer, question);
  }

  @Override
  String kind(boolean whole) {
    return whole ? "chat.completion" : "chat.completion.chunk";
  }

  @Override
  String opening(int answer) {
    return object(
        false,
        json -> {
          json.writeStartObject();
          json.writeNumberProperty("index", answer);
          json.writeObjectPropertyStart("delta");
          json.writeStringProperty("role", ROLE);
          json.writeStringProperty("content", "");
          json.writeEndObject();
          json.writeNullProperty("logprobs");
          json.writeNullProperty("finish_reason");
          json.writeEndObject();
          endPart(json);
        });
  }

  @Override
  void content(JsonGenerator json, String text, boolean whole) {
    json.writeObjectPropertyStart(whole ? "message" : "delta");
    if (whole) {
      json.writeStringProperty("role", ROLE);
      json.writeStringProperty("content", text);
      json.writeNullProperty("refusal");
    } else if (!text.isEmpty()) {
      json.writeStringProperty("content", text);
    }
    json.writeEndObject();
  }

  @Override
  void probabilities(JsonGenerator json, List<Piece.Token> tokens, Draft draft) {
    json.writeArrayPropertyStart("content");
    for (Piece.Token token : tokens) {
      json.writeStartObject();
      token(json, token.id(), token.logProbability());
      json.writeArrayPropertyStart("top_logprobs");
      for (TokenProbability other : alternatives(token)) {
        json.writeStartObject();
        token(json, other.token(), other.logProbability());
        json.writeEndObject();
      }
      json.writeEndArray();
      json.writeEndObject();
    }
    json.writeEndArray();
    json.writeNullProperty("refusal");
  }

  private void token(JsonGenerator json, int token, double logProbability) {
    json.writeStringProperty("token", text(token));
    Json.number(json, "logprob", logProbability);
    json.writeArrayPropertyStart("bytes");
    for (byte value : tokenizer.bytes(token)) {
      json.writeNumber(value & 0xFF);
    }
    json.writeEndArray();
  }
}
