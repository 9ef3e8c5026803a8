package dev.muninn.cli.output;

import dev.muninn.LanguageModel;
import dev.muninn.decode.DecodingStatistics;
import dev.muninn.serve.GenerationResult;
import dev.muninn.serve.Timings;
import java.util.Locale;
import tools.jackson.core.JsonGenerator;

/** A generation as a JSON object on a line. */
public final class ResultJson {
  private ResultJson() {}

  /**
   * The line.
   *
   * @param id a string or an integer to stand first, or null
   * @param model what computed it
   */
  public static String line(Object id, LanguageModel model, GenerationResult result) {
    return Json.object(generator -> {
      writeId(generator, id);
      Json.integers(generator, "prompt_tokens", result.promptTokens());
      Json.integers(generator, "tokens", result.tokens());
      generator.writeStringProperty("text", result.text().orElse(null));
      Json.integers(generator, "recurrences", result.recurrences());
      if (!result.promptRecurrences().isEmpty()) {
        Json.integers(generator, "prompt_recurrences", result.promptRecurrences());
      }
      generator.writeStringProperty(
          "finish_reason", result.finishReason().name().toLowerCase(Locale.ROOT));
      generator.writeStringProperty("backend", model.device().backend());
      generator.writeStringProperty("device", model.device().id());
      generator.writeObjectPropertyStart("timings");
      Timings timings = result.timings();
      Json.number(generator, "load_ms", Units.milliseconds(model.loadNanos()));
      Json.number(generator, "prefill_ms", Units.milliseconds(timings.prefillNanos()));
      Json.number(generator, "prefill_tokens_per_second", timings.prefillTokensPerSecond());
      Json.number(generator, "decode_ms", Units.milliseconds(timings.decodeNanos()));
      Json.number(generator, "decode_tokens_per_second", timings.decodeTokensPerSecond());
      generator.writeEndObject();
      generator.writeObjectPropertyStart("statistics");
      DecodingStatistics statistics = result.statistics();
      generator.writeNumberProperty("core_passes", statistics.corePasses());
      generator.writeNumberProperty("core_rows", statistics.coreRows());
      generator.writeNumberProperty("check_rows", statistics.checkRows());
      generator.writeNumberProperty("drafted_tokens", statistics.draftedTokens());
      generator.writeNumberProperty("accepted_tokens", statistics.acceptedTokens());
      generator.writeNumberProperty("outer_steps", statistics.outerSteps());
      generator.writeNumberProperty("key_value_bytes", result.keyValueBytes());
      generator.writeEndObject();
    });
  }

  /**
   * The line of a prompt that failed.
   *
   * @param id a string or an integer to stand first, or null
   * @param reason what went wrong
   */
  public static String failure(Object id, String reason) {
    return Json.object(generator -> {
      writeId(generator, id);
      generator.writeStringProperty("error", reason);
    });
  }

  private static void writeId(JsonGenerator generator, Object id) {
    switch (id) {
      case null -> {}
      case Long number -> generator.writeNumberProperty("id", number);
      default -> generator.writeStringProperty("id", id.toString());
    }
  }
}
