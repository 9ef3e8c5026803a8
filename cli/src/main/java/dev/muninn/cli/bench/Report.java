package dev.muninn.cli.bench;

import dev.muninn.cli.options.NumberConverters;
import dev.muninn.cli.output.Json;
import dev.muninn.cli.output.Units;
import dev.muninn.weights.Csv;
import java.io.IOException;
import java.io.Writer;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine.ITypeConverter;

/** Writes results as they are made, in one of the formats. */
final class Report {
  /** How results are written. */
  enum Format {
    /** A table for people, in Markdown. */
    MD,
    CSV,
    /** One array of objects, written at the end. */
    JSON,
    /** An object a line. */
    JSONL
  }

  private static final List<String> HEADINGS =
      List.of(
          "model", "test", "r", "mean r", "kv", "exit", "threads", "t/s", "ttft ms", "p50 ms",
          "p95 ms", "p99 ms", "GB/s", "GFLOP/s");

  private static final int TEXT_COLUMNS = 2;

  private final Writer out;
  private final Format format;
  private final Bench bench;
  private final Optional<Baseline> baseline;
  private final List<Map<String, Object>> written = new ArrayList<>();
  private final List<TestGroup> groups = new ArrayList<>();

  Report(Writer out, Format format, Bench bench, Optional<Baseline> baseline) {
    this.out = out;
    this.format = format;
    this.bench = bench;
    this.baseline = baseline;
  }

  /** Writes the lines before the first result. */
  void begin() throws IOException {
    if (format != Format.MD) {
      return;
    }
    for (String line : bench.heading()) {
      line("%s", line);
    }
    line("");
    table(List.of(HEADINGS), true);
    out.flush();
  }

  /** Writes the results of a group, but for an array, which waits for the end. */
  void add(TestGroup group) throws IOException {
    groups.add(group);
    List<List<String>> rows = new ArrayList<>();
    for (TestResult result : group.results()) {
      Map<String, Object> fields = ResultFields.of(bench, group, result);
      baseline.ifPresent(earlier -> fields.putAll(earlier.ratios(fields)));
      if (format == Format.CSV) {
        if (written.isEmpty()) {
          out.write(CsvLines.names(fields));
        }
        out.write(CsvLines.values(fields));
      } else if (format == Format.JSONL) {
        out.write(json(fields));
      }
      rows.add(row(result));
      written.add(fields);
    }
    if (format == Format.MD) {
      table(rows, false);
    }
    out.flush();
  }

  /** Writes what needs all results. */
  void end() throws IOException {
    switch (format) {
      case MD -> {
        fits();
        if (baseline.isPresent()) {
          line("");
          for (String line : baseline.get().table(written)) {
            line("%s", line);
          }
        }
      }
      case JSON -> out.write(array());
      case CSV, JSONL -> {}
    }
    out.flush();
  }

  /** All results as one JSON array. */
  String array() {
    return array(written);
  }

  static String array(List<Map<String, Object>> written) {
    StringBuilder array = new StringBuilder("[\n");
    for (int i = 0; i < written.size(); i++) {
      array.append(json(written.get(i)).stripTrailing());
      array.append(i + 1 < written.size() ? ",\n" : "\n");
    }
    return array.append("]\n").toString();
  }

  List<TestGroup> groups() {
    return groups;
  }

  static String json(Map<String, Object> fields) {
    return Json.object(
        generator -> fields.forEach((name, value) -> Json.value(generator, name, value)));
  }

  private void fits() throws IOException {
    for (TestGroup group : groups) {
      if (group.fit().isPresent()) {
        LinearFit fit = group.fit().get();
        line("");
        line(
            "%s: p50 = %.3f ms + %.3f ms x r, R2 %.5f, residual %.2f %% of the mean",
            group.label(), fit.intercept(), fit.slope(), fit.rSquared(), 100 * fit.residual());
      }
    }
  }

  private List<String> row(TestResult result) {
    Workload workload = result.workload();
    Sample gaps = result.gaps();
    List<String> row = new ArrayList<>();
    row.add(bench.modelName());
    row.add(result.test());
    row.add(Integer.toString(workload.recurrence()));
    row.add(Units.format("%.2f", result.meanRecurrences()));
    row.add(workload.policy().toString());
    row.add(workload.exitName());
    row.add(bench.onHost() ? Integer.toString(bench.threads()) : "");
    row.add(spread(result.tokensPerSecond(), 1));
    row.add(result.decoding() ? "" : spread(result.seconds(), 1e3));
    row.add(gaps == null ? "" : significant(gaps.percentile(50)));
    row.add(gaps == null ? "" : significant(gaps.percentile(95)));
    row.add(gaps == null ? "" : significant(gaps.percentile(99)));
    row.add(share(result.bytesPerSecond(), bench.limits().bytesPerSecond()));
    row.add(share(result.operationsPerSecond(), bench.limits().operationsPerSecond()));
    return row;
  }

  private static String spread(Sample sample, double unit) {
    return Units.format("%.2f ± %.2f", unit * sample.mean(), unit * sample.deviation());
  }

  static String share(double rate, double limit) {
    return Units.format("%s (%.0f %%)", significant(rate / 1e9), 100 * rate / limit);
  }

  private static String significant(double value) {
    return Units.format(value < 10 ? "%.2f" : value < 100 ? "%.1f" : "%.0f", value);
  }

  /** Widths are set before the first value is known, since rows are written as they are made. */
  private void table(List<List<String>> rows, boolean heading) throws IOException {
    int[] widths = {
      Math.max(5, bench.modelName().length()), 13, 3, 6, 8, 6, 7, 18, 18, 6, 6, 6, 12, 12
    };
    for (List<String> row : rows) {
      StringBuilder line = new StringBuilder("|");
      for (int i = 0; i < widths.length; i++) {
        String cell = row.get(i);
        String padding = " ".repeat(Math.max(0, widths[i] - cell.length()));
        line.append(' ').append(i < TEXT_COLUMNS ? cell + padding : padding + cell).append(" |");
      }
      line("%s", line);
    }
    if (heading) {
      StringBuilder rule = new StringBuilder("|");
      for (int i = 0; i < widths.length; i++) {
        String dashes = "-".repeat(widths[i]);
        rule.append(i < TEXT_COLUMNS ? " " + dashes + " |" : " " + dashes + ":|");
      }
      line("%s", rule);
    }
  }

  private void line(String pattern, Object... values) throws IOException {
    out.write(Units.format(pattern, values));
    out.write('\n');
  }

  /** Lines of comma-separated values, without what is no single value. */
  static final class CsvLines {
    private CsvLines() {}

    static String names(Map<String, Object> fields) {
      StringBuilder line = new StringBuilder();
      fields.forEach((name, value) -> {
        if (!isArray(name)) {
          line.append(line.isEmpty() ? "" : ",").append(name);
        }
      });
      return line.append('\n').toString();
    }

    static String values(Map<String, Object> fields) {
      StringBuilder line = new StringBuilder();
      fields.forEach((name, value) -> {
        if (!isArray(name)) {
          line.append(line.isEmpty() ? "" : ",").append(Csv.cell(value));
        }
      });
      return line.append('\n').toString();
    }

    /** By its name, since a value may be missing. */
    private static boolean isArray(String name) {
      return name.startsWith("samples_") || name.endsWith("_by_context");
    }
  }

  /** Reads a format's name. */
  static final class FormatConverter implements ITypeConverter<Format> {
    @Override
    public Format convert(String value) {
      for (Format format : Format.values()) {
        if (format.name().toLowerCase(Locale.ROOT).equals(value)) {
          return format;
        }
      }
      throw NumberConverters.expected("md, csv, json or jsonl", value);
    }
  }
}
