package dev.muninn.cli.bench;

import dev.muninn.LanguageModel;
import dev.muninn.cache.KeyValueType;
import dev.muninn.decode.Cancellation;
import dev.muninn.measure.ForwardCost;
import dev.muninn.serve.GenerationResult;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Runs workloads on a model, several times each. */
final class Suite {
  /** Kernels are compiled in the first seconds; a run that is that short says nothing. */
  private static final long WARM_UP_NANOS = 3_000_000_000L;

  private static final long LONGEST_WARM_UP_NANOS = 20_000_000_000L;

  private final LanguageModel model;
  private final KeyValueType keyValueType;
  private final ForwardCost cost;
  private final Cancellation cancellation;
  private final Runnable afterRun;

  /**
   * A suite on a model.
   *
   * @param keyValueType how keys and values are stored where a workload does not say
   * @param afterRun called after every run
   */
  Suite(
      LanguageModel model,
      KeyValueType keyValueType,
      Cancellation cancellation,
      Runnable afterRun) {
    this.model = model;
    this.keyValueType = keyValueType;
    this.cost = ForwardCost.of(model.architecture());
    this.cancellation = cancellation;
    this.afterRun = afterRun;
  }

  /**
   * Runs something short until it becomes no faster, so that what is measured is compiled.
   *
   * @return false if it was cancelled
   */
  boolean warmUp(Workload first) {
    Workload workload =
        new Workload(
            Math.min(16, first.depth()),
            Math.min(4, first.newTokens()),
            Math.min(4, first.recurrence()),
            first.policy(),
            first.type(),
            first.exitName(),
            first.exit(),
            first.seed());
    long began = System.nanoTime();
    long best = Long.MAX_VALUE;
    int steady = 0;
    while (true) {
      long start = System.nanoTime();
      if (TimedRun.of(model, workload, cancellation).isEmpty()) {
        return false;
      }
      long end = System.nanoTime();
      steady = end - start < 0.95 * best ? 0 : steady + 1;
      best = Math.min(best, end - start);
      boolean settled = steady >= 3 && end - began > WARM_UP_NANOS;
      if (settled || end - began > LONGEST_WARM_UP_NANOS) {
        return true;
      }
    }
  }

  /**
   * Measures workloads in turns, each once before the next repetition: what changes on the machine
   * meanwhile befalls all of them.
   *
   * @param warmUp whether a run of each that is not counted comes first
   * @return empty if it was cancelled
   */
  Optional<TestGroup> measure(List<Workload> workloads, int repetitions, boolean warmUp) {
    List<List<TimedRun>> runs = new ArrayList<>();
    workloads.forEach(workload -> runs.add(new ArrayList<>()));
    for (int repetition = warmUp ? -1 : 0; repetition < repetitions; repetition++) {
      for (int i = 0; i < workloads.size(); i++) {
        Optional<TimedRun> run = TimedRun.of(model, workloads.get(i), cancellation);
        if (run.isEmpty()) {
          return Optional.empty();
        }
        if (repetition >= 0) {
          runs.get(i).add(run.get());
        }
        afterRun.run();
      }
    }
    List<TestResult> results = new ArrayList<>();
    for (int i = 0; i < workloads.size(); i++) {
      if (workloads.get(i).promptTokens() > 0) {
        results.add(prompt(workloads.get(i), runs.get(i)));
      }
    }
    for (int i = 0; i < workloads.size(); i++) {
      if (workloads.get(i).newTokens() > 0) {
        results.add(decoding(workloads.get(i), runs.get(i)));
      }
    }
    return Optional.of(TestGroup.of(results));
  }

  private TestResult prompt(Workload workload, List<TimedRun> runs) {
    GenerationResult result = runs.getFirst().result();
    List<Integer> recurrences =
        result.promptRecurrences().isEmpty()
            ? result.recurrences().subList(0, 1)
            : result.promptRecurrences();
    return new TestResult(
        workload,
        false,
        new Sample(runs.stream().mapToDouble(run -> run.firstTokenNanos() / 1e9).toArray()),
        null,
        null,
        mean(recurrences),
        counter(workload).prompt(result),
        result.keyValueBytes());
  }

  private TestResult decoding(Workload workload, List<TimedRun> runs) {
    int tokens = workload.newTokens();
    double[] gaps = new double[tokens * runs.size()];
    double[] byContext = new double[tokens];
    for (int token = 0; token < tokens; token++) {
      double[] atContext = new double[runs.size()];
      for (int run = 0; run < runs.size(); run++) {
        atContext[run] = runs.get(run).gaps()[token] / 1e6;
        gaps[run * tokens + token] = atContext[run];
      }
      byContext[token] = new Sample(atContext).percentile(50);
    }
    GenerationResult result = runs.getFirst().result();
    return new TestResult(
        workload,
        true,
        new Sample(runs.stream().mapToDouble(run -> run.decodeNanos() / 1e9).toArray()),
        new Sample(gaps),
        byContext,
        mean(result.recurrences().subList(1, tokens + 1)),
        counter(workload).decoding(result),
        result.keyValueBytes());
  }

  private WorkCount.Counter counter(Workload workload) {
    boolean readsLogits =
        workload
            .exit()
            .criterion()
            .map(factory -> factory.create(model.architecture()).readsLogits())
            .orElse(false);
    return new WorkCount.Counter(
        cost, workload, readsLogits, workload.type().orElse(keyValueType).bytes());
  }

  private static double mean(List<Integer> numbers) {
    return numbers.stream().mapToInt(Integer::intValue).average().orElseThrow();
  }
}
