package dev.muninn.bench;

import java.util.Locale;
import java.util.regex.Pattern;

/** The suite's groups, in the order of its table. A name on the command line runs a group. */
enum BenchmarkGroup {
  /** The loops that everything consists of. */
  KERNELS("dev\\.muninn\\.vector\\.\\w+Benchmark\\."),
  /** The loops of training, forward and backward. */
  TRAINING("dev\\.muninn\\.train\\.\\w+Benchmark\\."),
  /** Calls of P, R and C. */
  RECURRENCE("dev\\.muninn\\.bench\\.(Prelude|Recurrence|Coda)Benchmark\\."),
  PREFILL("dev\\.muninn\\.bench\\.PrefillBenchmark\\."),
  DECODE("dev\\.muninn\\.bench\\.DecodeBenchmark\\."),
  /** Keys and values: room for them, and what reading them costs by policy. */
  CACHE("dev\\.muninn\\.bench\\.Cache\\w*Benchmark\\."),
  TOKENIZER("dev\\.muninn\\.bench\\.TokenizerBenchmark\\."),
  /** The limits of the machine. */
  LIMITS("\\.\\w+Limit\\.");

  private final Pattern pattern;

  BenchmarkGroup(String pattern) {
    this.pattern = Pattern.compile(pattern);
  }

  /** Finds the group's benchmarks by their full names. */
  String pattern() {
    return pattern.pattern();
  }

  boolean has(String benchmark) {
    return pattern.matcher(benchmark).find();
  }

  /** The name in lower case, as it is given on the command line. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** The pattern of the group of this name, or the text itself. */
  static String expand(String include) {
    for (BenchmarkGroup group : values()) {
      if (group.toString().equals(include)) {
        return group.pattern();
      }
    }
    return include;
  }
}
