package dev.muninn.cli.serve;

import dev.muninn.serve.ServiceLoad;
import io.prometheus.metrics.config.EscapingScheme;
import io.prometheus.metrics.core.metrics.Counter;
import io.prometheus.metrics.core.metrics.CounterWithCallback;
import io.prometheus.metrics.core.metrics.GaugeWithCallback;
import io.prometheus.metrics.core.metrics.Histogram;
import io.prometheus.metrics.expositionformats.PrometheusTextFormatWriter;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.function.ToLongFunction;

/** What the server counts, as Prometheus reads it. Thread-safe. */
final class Metrics {
  static final String CONTENT_TYPE = PrometheusTextFormatWriter.CONTENT_TYPE;

  private static final double NANOS = 1e9;
  private static final double[] SECONDS = {
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120
  };
  private static final double[] DEPTHS = {1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 128};

  private final PrometheusRegistry registry = new PrometheusRegistry();
  private final Counter requests =
      Counter.builder()
          .name("muninn_requests_total")
          .help("Requests, by path and status")
          .labelNames("path", "status")
          .register(registry);
  private final Counter promptTokens =
      Counter.builder()
          .name("muninn_prompt_tokens_total")
          .help("Tokens of prompts")
          .register(registry);
  private final Counter answerTokens =
      Counter.builder()
          .name("muninn_generated_tokens_total")
          .help("Tokens generated")
          .register(registry);
  private final Histogram depth =
      histogram("muninn_token_recurrences", "Recurrences of a generated token", DEPTHS);
  private final Histogram first =
      histogram(
          "muninn_time_to_first_token_seconds",
          "From a request's arrival to its first token",
          SECONDS);
  private final Histogram between =
      histogram("muninn_time_between_tokens_seconds", "From token to token", SECONDS);
  private final Histogram total =
      histogram("muninn_request_seconds", "From a request's arrival to its end", SECONDS);

  /**
   * Nothing counted yet.
   *
   * @param load what the model is doing, empty before there is one
   */
  Metrics(Supplier<Optional<ServiceLoad>> load) {
    gauge("muninn_requests_running", "Sequences that are computed", load, ServiceLoad::running);
    gauge("muninn_requests_queued", "Sequences that wait", load, ServiceLoad::queued);
    gauge(
        "muninn_kv_reserved_bytes",
        "Keys and values of sequences that are computed",
        load,
        ServiceLoad::reservedBytes);
    gauge(
        "muninn_prefix_kept_bytes",
        "Keys and values kept for later prompts",
        load,
        ServiceLoad::keptBytes);
    gauge(
        "muninn_prefix_kept_sequences",
        "Sequences whose keys and values are kept",
        load,
        ServiceLoad::keptSequences);
    counter(
        "muninn_prefix_hits_total",
        "Prompts that began like one that was kept",
        load,
        ServiceLoad::prefixHits);
    counter(
        "muninn_prefix_tokens_total",
        "Tokens of prompts that needed no computing",
        load,
        ServiceLoad::reusedTokens);
    counter(
        "muninn_core_calls_total", "Calls of the recurrent block", load, ServiceLoad::coreCalls);
    counter(
        "muninn_core_rows_total",
        "Rows in those calls; divided by them, the rows a call",
        load,
        ServiceLoad::coreRows);
  }

  private Histogram histogram(String name, String help, double[] bounds) {
    return Histogram.builder()
        .name(name)
        .help(help)
        .classicOnly()
        .classicUpperBounds(bounds)
        .register(registry);
  }

  private void gauge(
      String name,
      String help,
      Supplier<Optional<ServiceLoad>> load,
      ToLongFunction<ServiceLoad> value) {
    GaugeWithCallback.builder()
        .name(name)
        .help(help)
        .callback(callback -> callback.call(load.get().map(value::applyAsLong).orElse(0L)))
        .register(registry);
  }

  private void counter(
      String name,
      String help,
      Supplier<Optional<ServiceLoad>> load,
      ToLongFunction<ServiceLoad> value) {
    CounterWithCallback.builder()
        .name(name)
        .help(help)
        .callback(callback -> callback.call(load.get().map(value::applyAsLong).orElse(0L)))
        .register(registry);
  }

  /** A request has ended. */
  void request(String path, int status, long nanos) {
    requests.labelValues(path, Integer.toString(status)).inc();
    total.observe(nanos / NANOS);
  }

  /** Tokens of an answer and its prompt. */
  void tokens(int prompt, int answer) {
    promptTokens.inc(prompt);
    answerTokens.inc(answer);
  }

  void firstToken(long nanos) {
    first.observe(nanos / NANOS);
  }

  void nextToken(long nanos) {
    between.observe(nanos / NANOS);
  }

  void recurrences(int count) {
    depth.observe(count);
  }

  /** All of it, in Prometheus's text format. */
  byte[] text() throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    PrometheusTextFormatWriter.create().write(bytes, registry.scrape(), EscapingScheme.DEFAULT);
    return bytes.toByteArray();
  }
}
