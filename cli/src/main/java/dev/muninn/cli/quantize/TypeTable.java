package dev.muninn.cli.quantize;

import dev.muninn.cli.output.Json;
import dev.muninn.cli.output.Units;
import dev.muninn.cli.quantize.TypeComparison.Row;
import dev.muninn.eval.Measure;
import dev.muninn.eval.Task;
import java.util.ArrayList;
import java.util.List;

/** What a comparison of types found: a table in Markdown, or JSON. */
final class TypeTable {
  private final List<Task> tasks;
  private final List<Row> rows;

  TypeTable(List<Task> tasks, List<Row> rows) {
    this.tasks = tasks;
    this.rows = rows;
  }

  String text() {
    List<List<String>> lines = new ArrayList<>();
    List<String> heading = new ArrayList<>(List.of("type", "weights", "r", "prompt t/s", "t/s"));
    for (int i = 0; i < tasks.size(); i++) {
      Measure measure = rows.getFirst().measures().get(i);
      heading.add(tasks.get(i).name() + (isShare(measure) ? " %" : " " + measure.name()));
    }
    lines.add(heading);
    for (Row row : rows) {
      List<String> line = new ArrayList<>();
      line.add(row.type());
      line.add(Units.bytes(row.bytes()));
      line.add(Integer.toString(row.recurrence()));
      line.add(Units.significant(row.promptRate()));
      line.add(Units.significant(row.decodeRate()));
      for (Measure measure : row.measures()) {
        line.add(
            isShare(measure)
                ? Units.format("%.1f", 100 * measure.value())
                : Units.significant(measure.value()));
      }
      lines.add(line);
    }
    return markdown(lines);
  }

  private static boolean isShare(Measure measure) {
    return !measure.name().equals(Measure.PERPLEXITY);
  }

  /** The first column is of words, the others are of numbers. */
  private static String markdown(List<List<String>> lines) {
    StringBuilder text = new StringBuilder();
    int columns = lines.getFirst().size();
    int[] widths = new int[columns];
    for (List<String> line : lines) {
      for (int i = 0; i < columns; i++) {
        widths[i] = Math.max(widths[i], line.get(i).length());
      }
    }
    for (int number = 0; number < lines.size(); number++) {
      text.append('|');
      for (int i = 0; i < columns; i++) {
        String pattern = i == 0 ? " %-" + widths[i] + "s |" : " %" + widths[i] + "s |";
        text.append(Units.format(pattern, lines.get(number).get(i)));
      }
      text.append('\n');
      if (number == 0) {
        text.append('|');
        for (int i = 0; i < columns; i++) {
          text.append(' ').append("-".repeat(widths[i])).append(i == 0 ? " |" : ":|");
        }
        text.append('\n');
      }
    }
    return text.toString();
  }

  String json() {
    return Json.object(json -> {
      json.writeArrayPropertyStart("types");
      for (Row row : rows) {
        json.writeStartObject();
        json.writeStringProperty("type", row.type());
        json.writeNumberProperty("bytes", row.bytes());
        json.writeNumberProperty("recurrence", row.recurrence());
        Json.number(json, "prompt_tokens_per_second", row.promptRate());
        Json.number(json, "tokens_per_second", row.decodeRate());
        json.writeArrayPropertyStart("tasks");
        for (int i = 0; i < tasks.size(); i++) {
          Measure measure = row.measures().get(i);
          json.writeStartObject();
          json.writeStringProperty("task", tasks.get(i).name());
          json.writeStringProperty("measure", measure.name());
          Json.number(json, "value", measure.value());
          Json.number(json, "low", measure.interval().low());
          Json.number(json, "high", measure.interval().high());
          json.writeEndObject();
        }
        json.writeEndArray();
        json.writeEndObject();
      }
      json.writeEndArray();
    });
  }
}
