package dev.muninn.cli.bench;

import dev.muninn.cli.output.Units;
import dev.muninn.weights.JsonFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** The results of an earlier run, to compare with. */
final class Baseline {
  /** The fields by which two results are the same test. */
  private static final List<String> KEY =
      List.of(
          ResultFields.TEST,
          ResultFields.RECURRENCE,
          ResultFields.POLICY,
          ResultFields.EXIT,
          "min_recurrence",
          "exit_every",
          "prefill_exit");

  /** What should be the same, or else may be what is compared. */
  private static final List<String> CIRCUMSTANCES =
      List.of("version", "cpu_info", "backend", "n_threads", "model", "model_type", "kv_type");

  private static final List<String> COMPARED =
      List.of(ResultFields.RATE, ResultFields.FIRST_TOKEN, ResultFields.MEDIAN);

  private final Path file;
  private final Map<List<String>, Map<String, Object>> results = new LinkedHashMap<>();

  private Baseline(Path file) {
    this.file = file;
  }

  /**
   * Reads what {@code --save} or {@code -o json} wrote.
   *
   * @throws IOException if it holds something else
   * @throws dev.muninn.weights.CheckpointException if it cannot be read or is no JSON
   */
  static Baseline read(Path file) throws IOException {
    Baseline baseline = new Baseline(file);
    List<Object> array = JsonFile.readArray(file);
    for (int i = 0; i < array.size(); i++) {
      if (!(array.get(i) instanceof Map<?, ?> object)) {
        throw refusal(file, "element " + (i + 1) + " is not an object");
      }
      Map<String, Object> fields = new LinkedHashMap<>();
      object.forEach((name, value) -> fields.put(name.toString(), value));
      for (String name : KEY) {
        if (!fields.containsKey(name)) {
          throw refusal(file, "element " + (i + 1) + " has no " + name);
        }
      }
      if (!(fields.get(ResultFields.RATE) instanceof Number)) {
        throw refusal(file, "element " + (i + 1) + " has no number " + ResultFields.RATE);
      }
      baseline.results.put(key(fields), fields);
    }
    if (baseline.results.isEmpty()) {
      throw refusal(file, "it has no results");
    }
    return baseline;
  }

  private static IOException refusal(Path file, String found) {
    return new IOException(file + ": " + found + "; expected a file written by bench --save");
  }

  private static List<String> key(Map<String, Object> fields) {
    return KEY.stream().map(name -> String.valueOf(fields.get(name))).toList();
  }

  /** What to add to a result's fields: now by before, null where one is missing. */
  Map<String, Object> ratios(Map<String, Object> now) {
    Map<String, Object> before = results.getOrDefault(key(now), Map.of());
    Map<String, Object> ratios = new LinkedHashMap<>();
    for (String name : COMPARED) {
      ratios.put("ratio_" + name, ratio(now.get(name), before.get(name)));
    }
    return ratios;
  }

  private static Double ratio(Object now, Object before) {
    return now instanceof Number a && before instanceof Number b
        ? a.doubleValue() / b.doubleValue()
        : null;
  }

  /** A table in Markdown, and lines on what else has changed. */
  List<String> table(List<Map<String, Object>> now) {
    List<String> lines = new ArrayList<>();
    lines.add("Against " + file + ", now by before (t/s: more is better; ms: less is better):");
    lines.add("");
    lines.add(
        "| test          |   r | kv       | exit   | t/s before |    t/s now |"
            + "   t/s x |  ttft x |   p50 x |");
    lines.add(
        "| ------------- | --: | -------- | ------ | ---------: | ---------: |"
            + " ------: | ------: | ------: |");
    int missing = 0;
    for (Map<String, Object> fields : now) {
      Map<String, Object> before = results.get(key(fields));
      if (before == null) {
        missing++;
        continue;
      }
      Map<String, Object> ratios = ratios(fields);
      lines.add(
          Units.format(
              "| %-13s | %3s | %-8s | %-6s | %10.2f | %10.2f | %7s | %7s | %7s |",
              fields.get(ResultFields.TEST),
              fields.get(ResultFields.RECURRENCE),
              fields.get(ResultFields.POLICY),
              fields.get(ResultFields.EXIT),
              ((Number) before.get(ResultFields.RATE)).doubleValue(),
              ((Number) fields.get(ResultFields.RATE)).doubleValue(),
              shown(ratios.get("ratio_" + ResultFields.RATE)),
              shown(ratios.get("ratio_" + ResultFields.FIRST_TOKEN)),
              shown(ratios.get("ratio_" + ResultFields.MEDIAN))));
    }
    lines.add("");
    if (missing > 0) {
      lines.add(Units.count(missing, "test") + " of this run: not in " + file);
    }
    circumstances(now.getFirst(), lines);
    return lines;
  }

  private void circumstances(Map<String, Object> now, List<String> lines) {
    Map<String, Object> before = results.values().iterator().next();
    lines.add(
        "limits of the machine: reading x "
            + shown(ratio(now.get(ResultFields.READ_LIMIT), before.get(ResultFields.READ_LIMIT)))
            + ", arithmetic x "
            + shown(
                ratio(
                    now.get(ResultFields.ARITHMETIC_LIMIT),
                    before.get(ResultFields.ARITHMETIC_LIMIT))));
    for (String name : CIRCUMSTANCES) {
      String was = Objects.toString(before.get(name));
      String is = Objects.toString(now.get(name));
      if (!was.equals(is)) {
        lines.add(name + " was " + was + ", is " + is);
      }
    }
  }

  private static String shown(Object ratio) {
    return ratio == null ? "" : Units.format("%.3f", (Double) ratio);
  }
}
