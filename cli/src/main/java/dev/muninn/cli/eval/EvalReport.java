package dev.muninn.cli.eval;

import dev.muninn.cli.output.Json;
import dev.muninn.cli.output.Units;
import dev.muninn.eval.Measure;
import dev.muninn.eval.Saturation;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import tools.jackson.core.JsonGenerator;

/**
 * The results of an evaluation, as a table or as JSON.
 *
 * @param header what made it: names with texts
 * @param outcomes in the order of tasks, shots and recurrences
 */
public record EvalReport(Map<String, String> header, List<Cell.Outcome> outcomes) {

  /** The outcomes as lines of a plot, in the order of the table. */
  public List<Cell.Curve> curves() {
    Map<List<Object>, Cell.Curve> curves = new LinkedHashMap<>();
    for (Cell.Outcome outcome : outcomes) {
      for (Measure measure : outcome.measures()) {
        String task = outcome.cell().task().name();
        int shots = outcome.cell().shots();
        curves
            .computeIfAbsent(
                List.of(task, shots, measure.name()),
                key -> new Cell.Curve(task, shots, measure.name(), new TreeMap<>()))
            .points()
            .put(outcome.cell().recurrence(), measure);
      }
    }
    return List.copyOf(curves.values());
  }

  /** For people. */
  public String table() {
    int width = "task".length();
    for (Cell.Outcome outcome : outcomes) {
      width = Math.max(width, outcome.cell().task().name().length());
    }
    StringBuilder text = new StringBuilder();
    text.append(
        Units.format(
            "%-" + width + "s  %5s  %5s  %8s  %11s  %-18s  %10s  %s\n",
            "task",
            "shots",
            "r",
            "problems",
            "recurrences",
            "measure",
            "value",
            "95 % interval"));
    for (Cell.Outcome outcome : outcomes) {
      for (Measure measure : outcome.measures()) {
        boolean share = !measure.name().equals(Measure.PERPLEXITY);
        text.append(
            Units.format(
                "%-" + width + "s  %5d  %5d  %8d  %11.1f  %-18s  %10s  %s\n",
                outcome.cell().task().name(),
                outcome.cell().shots(),
                outcome.cell().recurrence(),
                outcome.problems(),
                outcome.meanRecurrences(),
                measure.name(),
                share ? Units.format("%.1f %%", 100 * measure.value()) : number(measure.value()),
                interval(measure, share)));
      }
    }
    text.append("\nSaturation: the least r within one standard error of the best\n");
    for (Cell.Curve curve : curves()) {
      Saturation saturation = Saturation.of(curve.points());
      Measure enough = curve.points().get(saturation.recurrence());
      Measure best = curve.points().get(saturation.best());
      text.append(
          Units.format(
              "%-" + width + "s  %5d  r = %d by %s (%s; best %s at r = %d)\n",
              curve.task(),
              curve.shots(),
              saturation.recurrence(),
              curve.measure(),
              value(enough),
              value(best),
              saturation.best()));
    }
    return text.toString();
  }

  private static String value(Measure measure) {
    return measure.name().equals(Measure.PERPLEXITY)
        ? number(measure.value())
        : Units.format("%.1f %%", 100 * measure.value());
  }

  private static String number(double value) {
    return Units.format("%.4f", value);
  }

  private static String interval(Measure measure, boolean share) {
    double low = measure.interval().low();
    double high = measure.interval().high();
    if (Double.isNaN(low)) {
      return "-";
    }
    return share
        ? Units.format("%.1f to %.1f", 100 * low, 100 * high)
        : Units.format("%.4f to %.4f", low, high);
  }

  /** For programs: one object on a line. */
  public String json() {
    return Json.object(generator -> {
      header.forEach(generator::writeStringProperty);
      generator.writeArrayPropertyStart("results");
      for (Cell.Outcome outcome : outcomes) {
        for (Measure measure : outcome.measures()) {
          write(generator, outcome, measure);
        }
      }
      generator.writeEndArray();
      generator.writeArrayPropertyStart("saturation");
      for (Cell.Curve curve : curves()) {
        Saturation saturation = Saturation.of(curve.points());
        generator.writeStartObject();
        generator.writeStringProperty("task", curve.task());
        generator.writeNumberProperty("shots", curve.shots());
        generator.writeStringProperty("measure", curve.measure());
        generator.writeNumberProperty("r", saturation.recurrence());
        generator.writeNumberProperty("best_r", saturation.best());
        generator.writeEndObject();
      }
      generator.writeEndArray();
    });
  }

  private static void write(JsonGenerator generator, Cell.Outcome outcome, Measure measure) {
    generator.writeStartObject();
    generator.writeStringProperty("task", outcome.cell().task().name());
    generator.writeNumberProperty("shots", outcome.cell().shots());
    generator.writeNumberProperty("r", outcome.cell().recurrence());
    generator.writeNumberProperty("problems", outcome.problems());
    Json.number(generator, "mean_recurrences", outcome.meanRecurrences());
    generator.writeStringProperty("measure", measure.name());
    Json.number(generator, "value", measure.value());
    generator.writeArrayPropertyStart("interval");
    for (double end : new double[] {measure.interval().low(), measure.interval().high()}) {
      Json.number(generator, end);
    }
    generator.writeEndArray();
    Json.number(generator, "standard_error", measure.standardError());
    generator.writeEndObject();
  }
}
