package dev.muninn.cli.bench;

import dev.muninn.backend.KernelTime;
import dev.muninn.cli.output.Units;
import java.io.IOException;
import java.io.Writer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Writes what each kernel took, in one of the formats. */
final class KernelReport {
  /** Rows that kernels are called with: a token's, those of a small batch, those of a prompt. */
  static final List<Integer> ROWS = List.of(1, 8, 128);

  private KernelReport() {}

  static void write(Writer out, Report.Format format, Bench bench, List<KernelTime> times)
      throws IOException {
    List<Map<String, Object>> results = new ArrayList<>();
    times.forEach(time -> results.add(fields(bench, time)));
    switch (format) {
      case MD -> table(out, bench, times);
      case CSV -> {
        out.write(Report.CsvLines.names(results.getFirst()));
        for (Map<String, Object> fields : results) {
          out.write(Report.CsvLines.values(fields));
        }
      }
      case JSON -> out.write(Report.array(results));
      case JSONL -> {
        for (Map<String, Object> fields : results) {
          out.write(Report.json(fields));
        }
      }
    }
    out.flush();
  }

  private static Map<String, Object> fields(Bench bench, KernelTime time) {
    Map<String, Object> fields = new LinkedHashMap<>();
    ResultFields.putBench(fields, bench);
    fields.remove("n_repetitions");
    boolean counts = time.operations() > 0;
    double bytes = 1e9 * time.bytes() / time.nanos();
    double operations = 1e9 * time.operations() / time.nanos();
    fields.put("kernel", time.kernel());
    fields.put("rows", time.rows());
    fields.put("ns", time.nanos());
    fields.put("gb_s", bytes / 1e9);
    fields.put("gb_s_share", bytes / bench.limits().bytesPerSecond());
    fields.put("gflop_s", counts ? operations / 1e9 : null);
    fields.put("gflop_s_share", counts ? operations / bench.limits().operationsPerSecond() : null);
    return fields;
  }

  private static void table(Writer out, Bench bench, List<KernelTime> times) throws IOException {
    for (String line : bench.heading()) {
      out.write(line + '\n');
    }
    out.write('\n');
    String pattern = "| %-16s | %4s | %10s | %14s | %14s |\n";
    out.write(Units.format(pattern, "kernel", "rows", "us", "GB/s", "GFLOP/s"));
    out.write(
        Units.format(
            "| %s | %s: | %s: | %s: | %s: |\n",
            "-".repeat(16), "-".repeat(3), "-".repeat(9), "-".repeat(13), "-".repeat(13)));
    for (KernelTime time : times) {
      double seconds = time.nanos() / 1e9;
      out.write(
          Units.format(
              pattern,
              time.kernel(),
              time.rows(),
              Units.format("%.1f", time.nanos() / 1e3),
              Report.share(time.bytes() / seconds, bench.limits().bytesPerSecond()),
              time.operations() > 0
                  ? Report.share(time.operations() / seconds, bench.limits().operationsPerSecond())
                  : ""));
    }
  }
}
