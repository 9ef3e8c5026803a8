package dev.muninn.cli.trace;

import dev.muninn.cli.output.Json;
import dev.muninn.trace.PathIndependence;
import dev.muninn.trace.Readouts;
import java.io.IOException;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Consumer;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.exc.JacksonIOException;

/** The numbers of a trace as JSON. */
public final class TraceJson {
  private final TraceAnalysis analysis;

  public TraceJson(TraceAnalysis analysis) {
    this.analysis = analysis;
  }

  /** Writes everything: one object, whose tokens have their numbers by recurrence. */
  void write(Path file) throws IOException {
    try (Writer out = Files.newBufferedWriter(file)) {
      Json.write(
          out,
          json -> {
            writeHead(json);
            tokens(
                json,
                token -> {
                  writeToken(json, token);
                  writeRecurrences(json, token);
                });
          });
    } catch (JacksonIOException e) {
      throw e.getCause();
    }
  }

  /** The same without the numbers by recurrence. */
  public void writeSummary(JsonGenerator json) {
    writeHead(json);
    tokens(json, token -> writeToken(json, token));
  }

  private void tokens(JsonGenerator json, Consumer<TokenTrace> body) {
    json.writeArrayPropertyStart("tokens");
    for (TokenTrace token : analysis.tokens()) {
      json.writeStartObject();
      body.accept(token);
      json.writeEndObject();
    }
    json.writeEndArray();
  }

  private void writeHead(JsonGenerator json) {
    json.writeStringProperty("model", analysis.model());
    json.writeNumberProperty("recurrence", analysis.recurrence());
    json.writeNumberProperty("positions", analysis.tokens().size());
    json.writeNumberProperty(
        "starts", analysis.pathIndependence().map(PathIndependence::starts).orElse(1));
    json.writeNumberProperty("settle_threshold", analysis.threshold());
    json.writeNumberProperty("settled", analysis.settledTokens());
    json.writeObjectPropertyStart("kinds");
    analysis.kinds().forEach((kind, count) -> json.writeNumberProperty(kind.label(), count));
    json.writeEndObject();
  }

  private void writeToken(JsonGenerator json, TokenTrace token) {
    json.writeNumberProperty("position", token.position());
    json.writeNumberProperty("token", token.token());
    json.writeStringProperty("text", token.text());
    if (token.settled().isPresent()) {
      json.writeNumberProperty("settled", token.settled().getAsInt());
    } else {
      json.writeNullProperty("settled");
    }
    json.writeStringProperty("kind", token.shape().kind().label());
    Json.number(json, "contraction", token.shape().contraction());
    TrajectoryShape.Rotation rotation = token.shape().rotation();
    json.writeArrayPropertyStart("plane");
    json.writeNumber(rotation.plane().first());
    json.writeNumber(rotation.plane().second());
    json.writeEndArray();
    Json.number(json, "plane_share", rotation.share());
    Json.number(json, "turns", rotation.turns());
    Json.number(json, "coherence", rotation.coherence());
    Json.number(json, "radius_ratio", rotation.radiusRatio());
    TrajectoryShape.Drift drift = token.shape().drift();
    Json.number(json, "drift_share", drift.share());
    Json.number(json, "speed_ratio", drift.speedRatio());
    Json.number(json, "direction_cosine", drift.directionCosine());
    numbers(json, "component_shares", token.shares());
    int position = token.position();
    analysis
        .pathIndependence()
        .ifPresent(independence -> {
          Json.number(json, "distance_between_starts", independence.startDistance(position));
          Json.number(json, "distance_between_tokens", independence.tokenDistance(position));
          Json.number(json, "jensen_shannon", independence.divergence(position));
          Json.number(json, "agreement", independence.agreement(position));
        });
  }

  /** Arrays of r + 1 numbers, or of r where recurrence 0 has none. */
  private void writeRecurrences(JsonGenerator json, TokenTrace token) {
    int position = token.position();
    Readouts readouts = analysis.readouts();
    numbers(json, "distances", token.convergence().distances());
    numbers(json, "relative_changes", token.convergence().relativeChanges());
    json.writeArrayPropertyStart("components");
    for (double[] point : token.components()) {
      json.writeStartArray();
      for (double coordinate : point) {
        Json.number(json, coordinate);
      }
      json.writeEndArray();
    }
    json.writeEndArray();
    json.writeArrayPropertyStart("readouts");
    for (int i = 1; i <= analysis.recurrence(); i++) {
      json.writeStartObject();
      json.writeNumberProperty("recurrence", i);
      Json.number(json, "entropy", readouts.entropy(position, i));
      Json.number(json, "kl", readouts.divergence(position, i));
      json.writeArrayPropertyStart("top");
      for (int rank = 0; rank < readouts.topTokens(); rank++) {
        int next = readouts.token(position, i, rank);
        json.writeStartObject();
        json.writeNumberProperty("token", next);
        json.writeStringProperty("text", analysis.texts().of(next));
        Json.number(json, "probability", readouts.probability(position, i, rank));
        json.writeEndObject();
      }
      json.writeEndArray();
      json.writeEndObject();
    }
    json.writeEndArray();
  }

  private static void numbers(JsonGenerator json, String name, double[] numbers) {
    json.writeArrayPropertyStart(name);
    for (double number : numbers) {
      Json.number(json, number);
    }
    json.writeEndArray();
  }
}
