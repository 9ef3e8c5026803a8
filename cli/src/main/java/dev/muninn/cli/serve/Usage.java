package dev.muninn.cli.serve;

import dev.muninn.cli.output.Json;
import dev.muninn.serve.GenerationResult;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.core.JsonGenerator;

/** What a request cost. Not thread-safe. */
final class Usage {
  private int promptTokens;
  private int cachedTokens;
  private int answerTokens;
  private final List<Integer> recurrences = new ArrayList<>();

  /** Counts a prompt, once for all its answers. */
  void addPrompt(int tokens) {
    promptTokens += tokens;
  }

  /** Counts an answer that has ended. */
  void addAnswer(GenerationResult result, List<Piece.Token> tokens) {
    answerTokens += result.tokens().size();
    if (!result.tokens().isEmpty()) {
      cachedTokens += result.promptTokens().size() - result.timings().prefillTokens();
    }
    for (Piece.Token token : tokens) {
      if (token.recurrences() > 0) {
        recurrences.add(token.recurrences());
      }
    }
  }

  int promptTokens() {
    return promptTokens;
  }

  int cachedTokens() {
    return cachedTokens;
  }

  int answerTokens() {
    return answerTokens;
  }

  /** Mean recurrences of the answers' tokens; 0 without any. */
  double meanRecurrences() {
    return recurrences.stream().mapToInt(Integer::intValue).average().orElse(0);
  }

  /** Writes it under its usual name. */
  void write(JsonGenerator json, boolean eachToken) {
    json.writeObjectPropertyStart("usage");
    json.writeNumberProperty("prompt_tokens", promptTokens);
    json.writeNumberProperty("completion_tokens", answerTokens);
    json.writeNumberProperty("total_tokens", promptTokens + answerTokens);
    json.writeObjectPropertyStart("prompt_tokens_details");
    json.writeNumberProperty("cached_tokens", cachedTokens);
    json.writeEndObject();
    json.writeObjectPropertyStart("recurrences");
    Json.number(json, "mean", meanRecurrences());
    if (eachToken) {
      Json.integers(json, "per_token", recurrences);
    }
    json.writeEndObject();
    json.writeEndObject();
  }
}
