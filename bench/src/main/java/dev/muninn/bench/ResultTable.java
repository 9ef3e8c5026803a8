package dev.muninn.bench;

import java.io.PrintStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import org.openjdk.jmh.infra.BenchmarkParams;
import org.openjdk.jmh.results.Result;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.util.Statistics;

/**
 * The results of a run with their rates, and what share each is of the best rate that the machine
 * reached with as many threads. The figures are medians over the iterations: a disturbance of one
 * of them moves a mean.
 */
final class ResultTable {
  private final Collection<RunResult> results;
  private final Map<String, Map<Resource, Double>> limitsByThreads = new HashMap<>();

  ResultTable(Collection<RunResult> results) {
    this.results = results;
    for (RunResult result : results) {
      if (BenchmarkGroup.LIMITS.has(result.getParams().getBenchmark())) {
        limits(result.getParams()).putAll(rates(result, 100));
      }
    }
  }

  private Map<Resource, Double> limits(BenchmarkParams benchmark) {
    String threads = benchmark.getParam("threads");
    return limitsByThreads.computeIfAbsent(
        threads == null ? "1" : threads, ignored -> new EnumMap<>(Resource.class));
  }

  private static Map<Resource, Double> rates(RunResult result, double percentile) {
    Map<Resource, Double> rates = new EnumMap<>(Resource.class);
    for (Resource resource : Resource.values()) {
      Result<?> rate = result.getSecondaryResults().get(resource.label());
      if (rate != null) {
        rates.put(resource, rate.getStatistics().getPercentile(percentile));
      }
    }
    return rates;
  }

  void print(PrintStream out) {
    Map<BenchmarkGroup, List<List<String>>> groups = new EnumMap<>(BenchmarkGroup.class);
    List<String> header = header();
    int[] widths = header.stream().mapToInt(String::length).toArray();
    for (RunResult result : results) {
      List<String> row = row(result);
      groups.computeIfAbsent(group(result), group -> new ArrayList<>()).add(row);
      for (int column = 0; column < widths.length; column++) {
        widths[column] = Math.max(widths[column], row.get(column).length());
      }
    }
    out.println(line(header, widths));
    groups.forEach((group, rows) -> {
      out.println();
      out.println(group);
      rows.forEach(row -> out.println(line(row, widths)));
    });
  }

  private static BenchmarkGroup group(RunResult result) {
    String benchmark = result.getParams().getBenchmark();
    return Arrays.stream(BenchmarkGroup.values())
        .filter(group -> group.has(benchmark))
        .findFirst()
        .orElseThrow(() -> new IllegalStateException(benchmark + " is in no group"));
  }

  private static String line(List<String> row, int[] widths) {
    StringBuilder line = new StringBuilder();
    for (int column = 0; column < widths.length; column++) {
      String padding = " ".repeat(widths[column] - row.get(column).length());
      boolean text = column < 2;
      line.append(text ? "" : padding).append(row.get(column)).append(text ? padding : "");
      line.append("  ");
    }
    return line.toString().stripTrailing();
  }

  private static List<String> header() {
    List<String> header = new ArrayList<>(List.of("benchmark", "parameters", "median", "±"));
    for (Resource resource : Resource.values()) {
      header.add(resource.heading());
    }
    return header;
  }

  private List<String> row(RunResult result) {
    BenchmarkParams benchmark = result.getParams();
    Statistics scores = result.getPrimaryResult().getStatistics();
    double median = RateProfiler.secondsPerOperation(benchmark, scores.getPercentile(50));
    double quarter = RateProfiler.secondsPerOperation(benchmark, scores.getPercentile(25));
    double threeQuarters = RateProfiler.secondsPerOperation(benchmark, scores.getPercentile(75));
    List<String> row = new ArrayList<>();
    row.add(name(benchmark));
    row.add(
        benchmark.getParamsKeys().stream()
            .map(key -> key + "=" + benchmark.getParam(key))
            .collect(Collectors.joining(" ")));
    row.add(time(median));
    row.add(percent(Math.abs(threeQuarters - quarter) / 2 / median));
    Map<Resource, Double> rates = rates(result, 50);
    Map<Resource, Double> limits = limits(benchmark);
    for (Resource resource : Resource.values()) {
      Double rate = rates.get(resource);
      Double limit = limits.get(resource);
      row.add(rate == null ? "" : significant(rate) + share(rate, limit));
    }
    return row;
  }

  private static String share(double rate, Double limit) {
    return String.format(" %6s", limit == null ? "" : percent(rate / limit));
  }

  private static String name(BenchmarkParams benchmark) {
    String[] parts = benchmark.getBenchmark().split("\\.");
    return parts[parts.length - 2] + "." + parts[parts.length - 1];
  }

  private static String time(double seconds) {
    if (seconds < 1e-6) {
      return significant(1e9 * seconds) + " ns";
    }
    if (seconds < 1e-3) {
      return significant(1e6 * seconds) + " us";
    }
    return seconds < 1 ? significant(1e3 * seconds) + " ms" : significant(seconds) + " s";
  }

  private static String significant(double value) {
    return String.format(Locale.ROOT, value < 10 ? "%.2f" : value < 100 ? "%.1f" : "%.0f", value);
  }

  private static String percent(double share) {
    return String.format(Locale.ROOT, "%.0f %%", 100 * share);
  }
}
