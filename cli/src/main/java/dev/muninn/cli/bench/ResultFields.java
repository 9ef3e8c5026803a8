package dev.muninn.cli.bench;

import dev.muninn.backend.OpeningTimes;
import dev.muninn.cli.output.Units;
import dev.muninn.decode.ExitOptions;
import dev.muninn.model.RecurrentModel;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * A result as names and values for programs, the same names in the same order for every test. What
 * llama-bench has too is called as there.
 */
final class ResultFields {
  static final String TEST = "test";
  static final String RECURRENCE = "recurrence";
  static final String POLICY = "kv_policy";
  static final String EXIT = "exit";
  static final String RATE = "avg_ts";
  static final String FIRST_TOKEN = "ttft_ms_avg";
  static final String MEDIAN = "inter_token_ms_p50";
  static final String READ_LIMIT = "limit_gb_s";
  static final String ARITHMETIC_LIMIT = "limit_gflop_s";

  private ResultFields() {}

  /** Values are texts, numbers, arrays of doubles, or null where a test has no such thing. */
  static Map<String, Object> of(Bench bench, TestGroup group, TestResult result) {
    Map<String, Object> fields = new LinkedHashMap<>();
    putBench(fields, bench);
    putTest(fields, bench, result);
    putTimes(fields, bench, result);
    putFit(fields, group.fit().filter(fit -> result.decoding()), result);
    return fields;
  }

  /** What all results of a call have in common. */
  static void putBench(Map<String, Object> fields, Bench bench) {
    RecurrentModel config = bench.model().architecture();
    Optional<OpeningTimes> opening = bench.model().openingTimes();
    fields.put("version", bench.version());
    fields.put("test_time", bench.began().toString());
    fields.put("cpu_info", Bench.processor());
    fields.put("backend", bench.model().backendName());
    fields.put("n_threads", bench.onHost() ? bench.threads() : null);
    fields.put(
        "compile_ms", opening.map(times -> Units.milliseconds(times.compileNanos())).orElse(null));
    fields.put("send_ms", opening.map(times -> Units.milliseconds(times.sendNanos())).orElse(null));
    fields.put(READ_LIMIT, bench.limits().bytesPerSecond() / 1e9);
    fields.put(ARITHMETIC_LIMIT, bench.limits().operationsPerSecond() / 1e9);
    fields.put("model", bench.modelName());
    fields.put("model_type", Bench.weightType(bench.model()).name());
    fields.put("model_size", bench.model().checkpoint().mappedBytes());
    fields.put("model_n_params", bench.parameters());
    fields.put("n_embd", config.width());
    fields.put("n_repetitions", bench.repetitions());
  }

  private static void putTest(Map<String, Object> fields, Bench bench, TestResult result) {
    Workload workload = result.workload();
    ExitOptions exit = workload.exit();
    boolean exits = exit.criterion().isPresent();
    fields.put(TEST, result.test());
    fields.put("n_prompt", result.decoding() ? 0 : workload.promptTokens());
    fields.put("n_gen", result.decoding() ? workload.newTokens() : 0);
    fields.put("n_depth", result.decoding() ? workload.promptTokens() : 0);
    fields.put(RECURRENCE, workload.recurrence());
    fields.put("mean_recurrences", result.meanRecurrences());
    fields.put(POLICY, workload.policy().toString());
    fields.put("kv_type", bench.keyValueType(workload).name().toLowerCase(Locale.ROOT));
    fields.put("kv_bytes", result.keyValueBytes());
    fields.put(EXIT, workload.exitName());
    fields.put("min_recurrence", exits ? exit.minimumRecurrence() : null);
    fields.put("exit_every", exits ? exit.every() : null);
    fields.put("prefill_exit", exits ? exit.prefill().name().toLowerCase(Locale.ROOT) : null);
    fields.put("seed", workload.seed());
  }

  private static void putTimes(Map<String, Object> fields, Bench bench, TestResult result) {
    Sample seconds = result.seconds();
    Sample rate = result.tokensPerSecond();
    fields.put("avg_ns", 1e9 * seconds.mean());
    fields.put("stddev_ns", 1e9 * seconds.deviation());
    fields.put(RATE, rate.mean());
    fields.put("stddev_ts", rate.deviation());
    fields.put(FIRST_TOKEN, result.decoding() ? null : 1e3 * seconds.mean());
    fields.put("ttft_ms_stddev", result.decoding() ? null : 1e3 * seconds.deviation());
    Sample gaps = result.gaps();
    fields.put("inter_token_ms_avg", gaps == null ? null : gaps.mean());
    fields.put("inter_token_ms_stddev", gaps == null ? null : gaps.deviation());
    fields.put(MEDIAN, gaps == null ? null : gaps.percentile(50));
    fields.put("inter_token_ms_p95", gaps == null ? null : gaps.percentile(95));
    fields.put("inter_token_ms_p99", gaps == null ? null : gaps.percentile(99));
    fields.put("gb_s", result.bytesPerSecond() / 1e9);
    fields.put("gb_s_share", result.bytesPerSecond() / bench.limits().bytesPerSecond());
    fields.put("gflop_s", result.operationsPerSecond() / 1e9);
    fields.put(
        "gflop_s_share", result.operationsPerSecond() / bench.limits().operationsPerSecond());
    double[] nanoseconds = seconds.values();
    for (int i = 0; i < nanoseconds.length; i++) {
      nanoseconds[i] *= 1e9;
    }
    fields.put("samples_ns", nanoseconds);
    fields.put("samples_ts", rate.values());
    fields.put("inter_token_ms_by_context", result.byContext());
  }

  private static void putFit(
      Map<String, Object> fields, Optional<LinearFit> fit, TestResult result) {
    fields.put("fit_ms_at_0", fit.map(LinearFit::intercept).orElse(null));
    fields.put("fit_ms_per_recurrence", fit.map(LinearFit::slope).orElse(null));
    fields.put("fit_r_squared", fit.map(LinearFit::rSquared).orElse(null));
    fields.put("fit_residual", fit.map(LinearFit::residual).orElse(null));
    fields.put(
        "fit_distance_ms",
        fit.map(line -> result.gaps().percentile(50) - line.at(result.meanRecurrences()))
            .orElse(null));
  }
}
