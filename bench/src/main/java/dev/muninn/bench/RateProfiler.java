package dev.muninn.bench;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.infra.BenchmarkParams;
import org.openjdk.jmh.infra.IterationParams;
import org.openjdk.jmh.profile.InternalProfiler;
import org.openjdk.jmh.results.AggregationPolicy;
import org.openjdk.jmh.results.IterationResult;
import org.openjdk.jmh.results.Result;
import org.openjdk.jmh.results.ScalarResult;

/**
 * Turns the time of an iteration into rates per second: JMH's own counters are per operation where
 * the time is, or not divided by time at all. Runs in the benchmark's JVM.
 */
public final class RateProfiler implements InternalProfiler {
  /** Of the one benchmark that runs in this JVM at a time: JMH gives a profiler no other way. */
  private static volatile Work declared = Work.NONE;

  static void declare(Work work) {
    declared = work;
  }

  @Override
  public String getDescription() {
    return "bytes, floating-point operations and tokens per second";
  }

  @Override
  public void beforeIteration(BenchmarkParams benchmark, IterationParams iteration) {
    // The time is JMH's.
  }

  @Override
  public Collection<? extends Result<?>> afterIteration(
      BenchmarkParams benchmark, IterationParams iteration, IterationResult result) {
    if (result.getRawPrimaryResults().isEmpty()) {
      // The benchmark failed, and JMH reports it after its profilers.
      return List.of();
    }
    // An iteration has one time, except where single invocations are sampled.
    double median = result.getPrimaryResult().getStatistics().getPercentile(50);
    double seconds = secondsPerOperation(benchmark, median);
    List<ScalarResult> rates = new ArrayList<>();
    declared
        .amounts()
        .forEach((resource, amount) ->
            rates.add(
                new ScalarResult(
                    resource.label(),
                    resource.rate(amount / seconds),
                    resource.unit(),
                    AggregationPolicy.AVG)));
    return rates;
  }

  /** The time of an operation, whatever mode and unit its score is in. */
  static double secondsPerOperation(BenchmarkParams benchmark, double score) {
    double unit = benchmark.getTimeUnit().toNanos(1) / (double) TimeUnit.SECONDS.toNanos(1);
    return benchmark.getMode() == Mode.Throughput ? unit / score : unit * score;
  }
}
