package dev.muninn.cli.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.muninn.LanguageModel;
import dev.muninn.LoadOptions;
import dev.muninn.cache.KeyValueType;
import dev.muninn.cache.SlotPolicy;
import dev.muninn.cli.CommandRun;
import dev.muninn.decode.Cancellation;
import dev.muninn.decode.ExitCriteria;
import dev.muninn.decode.ExitOptions;
import dev.muninn.measure.ForwardCost;
import dev.muninn.serve.GenerationResult;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Counted by the formulas of what is called, against what the engine says that it called. */
class WorkCountTest {
  private static LanguageModel model;
  private static ForwardCost cost;

  @BeforeAll
  static void open() {
    model = LanguageModel.load(CommandRun.RAVEN_TINY, new LoadOptions(1));
    cost = ForwardCost.of(model.architecture());
  }

  @AfterAll
  static void close() {
    model.close();
  }

  private static Workload workload(int prompt, int tokens, int recurrence, ExitOptions exit) {
    return new Workload(
        prompt, tokens, recurrence, SlotPolicy.full(), Optional.of(KeyValueType.F32), "", exit, 3);
  }

  private static GenerationResult run(Workload workload) {
    return TimedRun.of(model, workload, new Cancellation()).orElseThrow().result();
  }

  private static WorkCount.Counter counter(Workload workload, boolean logits) {
    return new WorkCount.Counter(cost, workload, logits, 4);
  }

  @Test
  void plainDecodingReadsEveryWeightOncePerRecurrence() {
    Workload workload = workload(6, 2, 3, ExitOptions.none());
    WorkCount count = counter(workload, false).decoding(run(workload));
    double weights =
        cost.prelude().bytes()
            + cost.injection().bytes()
            + 3 * cost.recurrence().bytes()
            + cost.coda().bytes()
            + cost.readOut().bytes()
            + cost.head().bytes();
    double keysAndValues =
        2.0 * 4 * model.architecture().width() * model.architecture().effectiveDepth(3) * (7 + 8);
    assertEquals(2 * weights + keysAndValues, count.bytes(), 1);
    double multiplied =
        2.0
            * (cost.prelude().weights()
                + cost.injection().weights()
                + 3 * cost.recurrence().weights()
                + cost.coda().weights()
                + cost.readOut().weights()
                + cost.head().weights());
    double attention =
        4.0 * model.architecture().width() * model.architecture().effectiveDepth(3) * (7 + 8);
    assertEquals(2 * multiplied + attention, count.operations(), 1);
  }

  @Test
  void longPromptReadsWeightsOncePerChunk() {
    Workload workload = workload(5, 0, 2, ExitOptions.none());
    WorkCount count = counter(workload, false).prompt(run(workload));
    double multiplied =
        2.0
            * (5 * (cost.prelude().weights() + cost.injection().weights())
                + 10 * cost.recurrence().weights()
                + 5 * cost.coda().weights()
                + cost.readOut().weights()
                + cost.head().weights());
    // In the coda's last block, only the last position attends.
    double attention =
        4.0
            * model.architecture().width()
            * (model.architecture().effectiveDepth(2) * (1 + 2 + 3 + 4 + 5) - (1 + 2 + 3 + 4));
    assertEquals(multiplied + attention, count.operations(), 1);
  }

  /** Less depth, and a coda for each check. */
  @Test
  void exitsThatReadLogitsCountTheirChecks() {
    ExitOptions exit = ExitOptions.of(ExitCriteria.parse("kl:1e-9"));
    Workload workload = workload(4, 3, 6, exit);
    GenerationResult result = run(workload);
    double weights = 0;
    for (int i = 1; i <= 3; i++) {
      int depth = result.recurrences().get(i);
      // Checked after each but the last possible one, which is followed by the coda anyway.
      weights +=
          cost.prelude().bytes()
              + cost.injection().bytes()
              + depth * cost.recurrence().bytes()
              + depth * (cost.coda().bytes() + cost.readOut().bytes() + cost.head().bytes());
    }
    WorkCount count = counter(workload, true).decoding(result);
    double keysAndValues = count.bytes() - weights;
    assertEquals(true, keysAndValues > 0 && keysAndValues < 0.2 * weights, "" + keysAndValues);
  }
}
