package dev.muninn.cli.quantize;

import dev.muninn.cli.output.Json;
import dev.muninn.cli.output.Units;
import dev.muninn.cli.quantize.VerifyOptions.Findings;
import dev.muninn.cli.terminal.Printable;
import dev.muninn.family.PanelTensor;
import dev.muninn.family.PreparedTensors;
import dev.muninn.model.WeightFormat;
import dev.muninn.prepare.Preparation;
import dev.muninn.prepare.Verification.Divergence;
import dev.muninn.prepare.Verification.TensorError;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.Map;
import tools.jackson.core.JsonGenerator;

/** What a preparation did, for people and for programs. */
final class QuantizeReport {
  private final Path directory;
  private final long sourceBytes;
  private final Preparation done;
  private final boolean calibrated;
  private final Findings findings;
  private final Map<WeightFormat, Share> shares = new EnumMap<>(WeightFormat.class);

  /** What the tensors of one format come to. */
  private record Share(long tensors, long weights, long bytes) {
    Share plus(Share other) {
      return new Share(tensors + other.tensors, weights + other.weights, bytes + other.bytes);
    }
  }

  QuantizeReport(
      Path directory, long sourceBytes, Preparation done, boolean calibrated, Findings findings) {
    this.directory = directory;
    this.sourceBytes = sourceBytes;
    this.done = done;
    this.calibrated = calibrated;
    this.findings = findings;
    for (PanelTensor tensor : done.panels().values()) {
      shares.merge(
          tensor.format(),
          new Share(
              1, (long) tensor.rows() * tensor.inputs(), tensor.panels() * tensor.panelBytes()),
          Share::plus);
    }
  }

  String text() {
    StringBuilder text = new StringBuilder();
    text.append(
        Units.format(
            "%s: %s of weights, made from %s\n",
            directory, Units.bytes(done.writtenBytes()), Units.bytes(sourceBytes)));
    shares.forEach((format, share) ->
        text.append(
            Units.format(
                "  %-5s %s, %s in %s\n",
                PreparedTensors.name(format),
                Units.bytes(share.bytes),
                Units.count(share.weights, "weight"),
                Units.count(share.tensors, "tensor"))));
    if (calibrated) {
      text.append("  rounded for what matrices are multiplied with\n");
    }
    if (!done.leftOut().isEmpty()) {
      text.append("  left out, since the model does not use it: ")
          .append(Printable.line(String.join(", ", done.leftOut())))
          .append('\n');
    }
    appendErrors(text);
    appendDivergences(text);
    return text.toString();
  }

  private void appendErrors(StringBuilder text) {
    if (findings.errors().isEmpty()) {
      return;
    }
    int width =
        findings.errors().stream().mapToInt(e -> Printable.line(e.name()).length()).max().orElse(1);
    text.append(
        Units.format("\n%-" + width + "s  %-5s %9s %9s\n", "error", "type", "relative", "largest"));
    for (TensorError error : findings.errors()) {
      text.append(
          Units.format(
              "%-" + width + "s  %-5s %8.3f%% %9.2e\n",
              Printable.line(error.name()),
              error.format(),
              100 * error.relative(),
              error.largest()));
    }
  }

  private void appendDivergences(StringBuilder text) {
    if (findings.divergences().isEmpty()) {
      return;
    }
    text.append(
        Units.format("\n%4s %12s %12s %16s\n", "r", "mean KL", "largest KL", "same likeliest"));
    for (Divergence divergence : findings.divergences()) {
      text.append(
          Units.format(
              "%4d %12.2e %12.2e %15.1f%%\n",
              divergence.recurrence(),
              divergence.mean(),
              divergence.largest(),
              100 * divergence.agreement()));
    }
  }

  String json() {
    return Json.object(json -> {
      json.writeStringProperty("directory", directory.toString());
      json.writeNumberProperty("source_bytes", sourceBytes);
      json.writeNumberProperty("bytes", done.writtenBytes());
      json.writeBooleanProperty("calibrated", calibrated);
      json.writeObjectPropertyStart("types");
      shares.forEach((format, share) -> {
        json.writeObjectPropertyStart(PreparedTensors.name(format));
        json.writeNumberProperty("tensors", share.tensors);
        json.writeNumberProperty("weights", share.weights);
        json.writeNumberProperty("bytes", share.bytes);
        json.writeEndObject();
      });
      json.writeEndObject();
      json.writeArrayPropertyStart("left_out");
      done.leftOut().forEach(json::writeString);
      json.writeEndArray();
      if (!findings.errors().isEmpty()) {
        writeFindings(json);
      }
    });
  }

  private void writeFindings(JsonGenerator json) {
    json.writeArrayPropertyStart("errors");
    for (TensorError error : findings.errors()) {
      json.writeStartObject();
      json.writeStringProperty("tensor", error.name());
      json.writeStringProperty("type", error.format());
      Json.number(json, "relative", error.relative());
      Json.number(json, "largest", error.largest());
      json.writeEndObject();
    }
    json.writeEndArray();
    json.writeArrayPropertyStart("divergences");
    for (Divergence divergence : findings.divergences()) {
      json.writeStartObject();
      json.writeNumberProperty("recurrence", divergence.recurrence());
      Json.number(json, "mean", divergence.mean());
      Json.number(json, "largest", divergence.largest());
      Json.number(json, "agreement", divergence.agreement());
      json.writeEndObject();
    }
    json.writeEndArray();
  }
}
