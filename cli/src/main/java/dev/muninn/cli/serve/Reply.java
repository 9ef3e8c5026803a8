package dev.muninn.cli.serve;

import dev.muninn.cli.output.Json;
import dev.muninn.decode.TokenProbability;
import dev.muninn.serve.GenerationRequest;
import dev.muninn.text.Tokenizer;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.UUID;
import java.util.function.Consumer;
import tools.jackson.core.JsonGenerator;

/** Writes answers in the form of one of OpenAI's two interfaces. */
abstract sealed class Reply permits ChatReply, CompletionReply {
  private final String id;
  private final String model;
  private final long created = Instant.now().getEpochSecond();
  final Tokenizer tokenizer;
  final Question question;

  Reply(String prefix, String model, Tokenizer tokenizer, Question question) {
    this.id = prefix + UUID.randomUUID().toString().replace("-", "");
    this.model = model;
    this.tokenizer = tokenizer;
    this.question = question;
  }

  String id() {
    return id;
  }

  /** The kind of object, whole or a part of a stream. */
  abstract String kind(boolean whole);

  /** Writes what an answer says: all of it, or what is new. */
  abstract void content(JsonGenerator json, String text, boolean whole);

  /** Writes probabilities of tokens. */
  abstract void probabilities(JsonGenerator json, List<Piece.Token> tokens, Draft draft);

  /** What a stream sends first of an answer; empty if that is nothing. */
  abstract String opening(int answer);

  /** All answers in one object. */
  final String whole(List<Draft> drafts, Usage usage) {
    return object(
        true,
        json -> {
          for (int answer = 0; answer < drafts.size(); answer++) {
            Draft draft = drafts.get(answer);
            choice(json, answer, draft.text(), draft.tokens(), draft, true);
          }
          json.writeEndArray();
          usage.write(json, question.returnRecurrences());
        });
  }

  /** A piece of an answer, for a stream. */
  final String part(Piece piece, Draft draft) {
    return object(
        false,
        json -> {
          choice(json, piece.answer(), piece.text(), piece.tokens(), draft, false);
          endPart(json);
        });
  }

  /** What the stream cost, behind all parts. */
  final String usage(Usage usage) {
    return object(
        false,
        json -> {
          json.writeEndArray();
          usage.write(json, question.returnRecurrences());
        });
  }

  final void endPart(JsonGenerator json) {
    json.writeEndArray();
    if (question.includeUsage()) {
      json.writeNullProperty("usage");
    }
  }

  final String object(boolean whole, Consumer<JsonGenerator> choices) {
    return Json.object(json -> {
      json.writeStringProperty("id", id);
      json.writeStringProperty("object", kind(whole));
      json.writeNumberProperty("created", created);
      json.writeStringProperty("model", model);
      json.writeArrayPropertyStart("choices");
      choices.accept(json);
    });
  }

  private void choice(
      JsonGenerator json,
      int answer,
      String text,
      List<Piece.Token> tokens,
      Draft draft,
      boolean whole) {
    json.writeStartObject();
    json.writeNumberProperty("index", answer);
    content(json, text, whole);
    if (question.alternatives() == GenerationRequest.NONE || tokens.isEmpty()) {
      json.writeNullProperty("logprobs");
    } else {
      json.writeObjectPropertyStart("logprobs");
      probabilities(json, tokens, draft);
      json.writeEndObject();
    }
    json.writeStringProperty("finish_reason", draft.reason());
    if (question.returnRecurrences()) {
      Json.integers(
          json,
          "recurrences",
          tokens.stream().map(Piece.Token::recurrences).filter(count -> count > 0).toList());
    }
    json.writeEndObject();
  }

  /** A token as text: its name if it is special, its bytes if they are not whole characters. */
  final String text(int token) {
    byte[] bytes = tokenizer.bytes(token);
    if (bytes.length == 0) {
      return tokenizer.name(token).orElse("");
    }
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException e) {
      return "bytes:\\x" + HexFormat.ofDelimiter("\\x").formatHex(bytes).toLowerCase(Locale.ROOT);
    }
  }

  /** The tokens to name in one's place: those asked for, and always the token itself. */
  final List<TokenProbability> alternatives(Piece.Token token) {
    if (question.alternatives() == 0 || Double.isNaN(token.logProbability())) {
      return List.of();
    }
    return token.alternatives();
  }
}
