package dev.muninn.decode;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.cache.KeyValueType;
import dev.muninn.cache.SlotPolicy;
import dev.muninn.decode.ExitOptions.Prefill;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Sequences side by side become what they become alone, to the last bit. */
class BatchTest {
  private static final int[] PROMPT_LENGTHS = {1, 5, 9, 2, 7, 1, 3, 11, 4};
  private static final int[] COUNTS = {4, 1, 3, 6, 2, 5, 2, 3, 4};

  static Stream<Arguments> settings() {
    DecodingOptions plain = exit(null, Prefill.GROUP);
    return Stream.of(
        Arguments.of("no exit", DecodingModel.F32, plain, List.of(1, 2, 3, 8)),
        Arguments.of("no exit", DecodingModel.BF16, plain, List.of(8)),
        Arguments.of("no exit", DecodingModel.UNTIED, plain, List.of(2, 8)),
        Arguments.of("kl, group", DecodingModel.F32, exit("kl:0.02", Prefill.GROUP), List.of(3, 8)),
        Arguments.of("kl, group", DecodingModel.BF16, exit("kl:0.02", Prefill.GROUP), List.of(2)),
        Arguments.of(
            "kl, row", DecodingModel.F32, exit("kl:0.02", Prefill.ROW), List.of(1, 2, 3, 8)),
        Arguments.of(
            "kl, none", DecodingModel.UNTIED, exit("kl:0.02", Prefill.NONE), List.of(3, 8)),
        Arguments.of(
            "latent-diff, group",
            DecodingModel.UNTIED,
            exit("latent-diff:0.3", Prefill.GROUP),
            List.of(2, 8)),
        Arguments.of(
            "latent-diff, row",
            DecodingModel.F32,
            exit("latent-diff:0.3", Prefill.ROW),
            List.of(3, 8)),
        Arguments.of(
            "latent-diff, none",
            DecodingModel.F32,
            exit("latent-diff:0.3", Prefill.NONE),
            List.of(8)),
        Arguments.of(
            "entropy-diff, row",
            DecodingModel.UNTIED,
            exit("entropy-diff:0.02", Prefill.ROW),
            List.of(3, 8)),
        Arguments.of(
            "entropy-diff, group",
            DecodingModel.UNTIED,
            exit("entropy-diff:0.02", Prefill.GROUP),
            List.of(2, 8)),
        Arguments.of("warm start", DecodingModel.F32, plain.withWarmStart(true), List.of(3, 8)),
        Arguments.of(
            "warm start, kl, row",
            DecodingModel.UNTIED,
            exit("kl:0.02", Prefill.ROW).withWarmStart(true),
            List.of(1, 2, 3, 8)),
        Arguments.of(
            "budget:2",
            DecodingModel.UNTIED,
            plain.withPolicy(new SlotPolicy.Budget(2)),
            List.of(1, 2, 3, 8)),
        Arguments.of(
            "budget:2, latent-diff, row",
            DecodingModel.F32,
            exit("latent-diff:0.3", Prefill.ROW).withPolicy(new SlotPolicy.Budget(2)),
            List.of(8)),
        Arguments.of(
            "anchor:2, BF16 keys and values",
            DecodingModel.UNTIED,
            plain.withPolicy(new SlotPolicy.Anchor(2)).withType(KeyValueType.BF16),
            List.of(3)));
  }

  private static DecodingOptions exit(String criterion, Prefill prefill) {
    // Without an exit, a criterion that never lets go still sees all latents and logits.
    ExitCriteria.Factory factory =
        criterion == null ? RecordedExits.never(true) : ExitCriteria.parse(criterion);
    return DecodingOptions.defaults()
        .withExit(new ExitOptions(Optional.of(factory), 1, 1, prefill));
  }

  /** Requests that watch their exits, of all lengths, greedy and sampling. */
  private static List<SequenceRequest> requests(
      DecodingModel model, DecodingOptions options, List<RecordedExits> records) {
    List<SequenceRequest> requests = new ArrayList<>();
    for (int i = 0; i < COUNTS.length; i++) {
      RecordedExits record = new RecordedExits();
      records.add(record);
      ExitOptions exit = options.exit();
      ExitOptions watched =
          new ExitOptions(
              Optional.of(record.watch(exit.criterion().orElseThrow())),
              exit.minimumRecurrence(),
              exit.every(),
              exit.prefill());
      SamplingOptions sampling =
          i % 3 == 2
              ? SamplingOptions.greedy().withTemperature(1).withSeed(i).withRepetitionPenalty(1.2f)
              : SamplingOptions.greedy();
      requests.add(
          SequenceRequest.of(model.prompt(PROMPT_LENGTHS[i], 100 + i))
              .count(COUNTS[i])
              .recurrence(3 + i % 3)
              .state(InitialState.random(i))
              .sampling(sampling)
              // Some are ended by their capacity, some have room to spare.
              .spare(i % 2 == 0 ? 0 : 3)
              .options(options.withExit(watched)));
    }
    return requests;
  }

  @ParameterizedTest(name = "{0}, {1}, batches of {3}")
  @MethodSource("settings")
  void aSequenceIsTheSameAsAlone(
      String name, String fixture, DecodingOptions options, List<Integer> sizes) {
    try (DecodingModel model = new DecodingModel(fixture)) {
      List<RecordedExits> records = new ArrayList<>();
      List<SequenceRun> alone = new ArrayList<>();
      for (SequenceRequest request : requests(model, options, records)) {
        alone.add(model.run(request));
      }
      long rows = model.backend.coreRows;
      long preludeRows = model.backend.preludeRows;
      long codaRows = model.backend.codaRows;
      long passes = model.backend.corePasses;
      for (int size : sizes) {
        model.backend.reset();
        List<RecordedExits> others = new ArrayList<>();
        List<SequenceRun> batch = model.batch(size, requests(model, options, others));
        for (int i = 0; i < alone.size(); i++) {
          String what = "sequence " + i + " in a batch of " + size;
          assertSame(alone.get(i), batch.get(i), what);
          assertSameBits(records.get(i), others.get(i), what);
        }
        assertEquals(rows, model.backend.coreRows, "core rows");
        assertEquals(preludeRows, model.backend.preludeRows, "prelude rows");
        assertEquals(codaRows, model.backend.codaRows, "coda rows");
        assertTrue(
            size == 1 ? model.backend.corePasses == passes : model.backend.corePasses < passes,
            "core passes");
        model.backend.assertAllFreed();
      }
    }
  }

  private static void assertSame(SequenceRun expected, SequenceRun actual, String what) {
    assertArrayEquals(expected.tokens(), actual.tokens(), what);
    assertArrayEquals(expected.recurrences(), actual.recurrences(), what);
    assertArrayEquals(expected.task.recurrences(), actual.task.recurrences(), what);
    assertArrayEquals(expected.task.promptRecurrences(), actual.task.promptRecurrences(), what);
    assertEquals(expected.statistics(), actual.statistics(), what);
    assertEquals(1, actual.timesBegun(), what);
    assertEquals(1, actual.timesEnded(), what);
    assertEquals(actual.request.count(), actual.tokens().length, what);
  }

  private static void assertSameBits(RecordedExits expected, RecordedExits actual, String what) {
    assertEquals(expected.values, actual.values, what);
    assertEquals(expected.begun, actual.begun, what);
    assertEquals(expected.seen.size(), actual.seen.size(), what);
    for (int i = 0; i < expected.seen.size(); i++) {
      assertArrayEquals(expected.seen.get(i), actual.seen.get(i), what);
    }
  }

  /** What {@link #settings} would show is worth something only if sequences differ. */
  @Test
  void theSettingsLetRowsLeaveAtDifferentDepths() {
    try (DecodingModel model = new DecodingModel(DecodingModel.F32)) {
      DecodingOptions options = exit("kl:0.02", Prefill.ROW);
      boolean early = false;
      boolean uneven = false;
      for (SequenceRequest request : requests(model, options, new ArrayList<>())) {
        SequenceRun run = model.run(request);
        int[] depths = run.task.promptRecurrences();
        for (int depth : depths) {
          early |= depth < request.recurrence();
          uneven |= depth != depths[0];
        }
      }
      assertTrue(early && uneven);
    }
  }

  /**
   * Without exits every forward takes r passes, so with a prompt that is one forward, sequence i
   * takes count_i * r passes from the step at which it begins; a place that is free is filled at
   * the next step.
   */
  @Test
  void aSequenceThatEndsGivesItsPlaceAwayAtOnce() {
    int[] counts = {3, 7, 2, 4, 1, 1};
    int recurrence = 3;
    try (DecodingModel model = new DecodingModel(DecodingModel.UNTIED)) {
      List<SequenceRun> runs = new ArrayList<>();
      for (int i = 0; i < counts.length; i++) {
        runs.add(
            model.prepare(
                SequenceRequest.of(model.prompt(1 + i, i))
                    .count(counts[i])
                    .recurrence(recurrence)));
      }
      // Two places: when each is next free, in steps.
      int[] free = {0, 0};
      int[] begins = new int[counts.length];
      int[] ends = new int[counts.length];
      for (int i = 0; i < counts.length; i++) {
        int place = free[0] <= free[1] ? 0 : 1;
        begins[i] = free[place];
        ends[i] = begins[i] + counts[i] * recurrence;
        free[place] = ends[i];
      }
      try (Scheduler scheduler = new Scheduler(model.backend, model.config, 2, 6)) {
        for (SequenceRun run : runs) {
          scheduler.add(run.task);
        }
        boolean more = true;
        for (int step = 0; more; step++) {
          more = scheduler.step();
          int active = 0;
          for (int i = 0; i < counts.length; i++) {
            String what = "sequence " + i + " after step " + step;
            assertEquals(step >= begins[i] ? 1 : 0, runs.get(i).timesBegun(), what);
            assertEquals(step + 1 >= ends[i] ? 1 : 0, runs.get(i).timesEnded(), what);
            active += runs.get(i).timesBegun() - runs.get(i).timesEnded();
          }
          assertEquals(active, scheduler.activeSequences());
        }
        assertEquals(Math.max(free[0], free[1]), scheduler.corePasses());
        assertEquals(scheduler.corePasses(), model.backend.corePasses);
        assertFalse(scheduler.step());
        assertEquals(Math.max(free[0], free[1]), scheduler.corePasses());
      }
      model.backend.assertAllFreed();
    }
  }

  @Test
  void aSchedulerTakesSequencesWhileItWorksAndAfterItHasNone() {
    try (DecodingModel model = new DecodingModel(DecodingModel.UNTIED);
        Scheduler scheduler = new Scheduler(model.backend, model.config, 3, 6)) {
      assertFalse(scheduler.step());
      SequenceRequest first = SequenceRequest.of(3, 1, 4).count(5);
      SequenceRequest second = SequenceRequest.of(9, 2).count(3);
      SequenceRun[] runs = {model.prepare(first), model.prepare(second), model.prepare(first)};
      scheduler.add(runs[0].task);
      for (int i = 0; i < 8; i++) {
        assertTrue(scheduler.step());
      }
      scheduler.add(runs[1].task);
      while (scheduler.step()) {}
      scheduler.add(runs[2].task);
      while (scheduler.step()) {}
      int[] tokens = model.run(first).tokens();
      assertArrayEquals(tokens, runs[0].tokens());
      assertArrayEquals(model.run(second).tokens(), runs[1].tokens());
      assertArrayEquals(tokens, runs[2].tokens());
    }
  }

  @Test
  void sequencesInFlightAreFreedAndToldNothing() {
    try (DecodingModel model = new DecodingModel(DecodingModel.UNTIED)) {
      SequenceRun run = model.prepare(SequenceRequest.of(3, 1, 4));
      SequenceRun waiting = model.prepare(SequenceRequest.of(7));
      try (Scheduler scheduler = new Scheduler(model.backend, model.config, 1, 3)) {
        scheduler.add(run.task);
        scheduler.add(waiting.task);
        for (int i = 0; i < 10; i++) {
          assertTrue(scheduler.step());
        }
      }
      assertEquals(1, run.tokens().length);
      assertEquals(0, run.timesEnded());
      assertEquals(0, waiting.timesBegun());
      model.backend.assertAllFreed();
    }
  }

  /** Rows for prompts are fewer than eight long prompts need at once: some wait for others. */
  @Test
  void promptsThatFindNoRowsWait() {
    try (DecodingModel model = new DecodingModel(DecodingModel.UNTIED, 700)) {
      List<SequenceRequest> requests = new ArrayList<>();
      ExitOptions exit = ExitOptions.of(ExitCriteria.parse("latent-diff:0.5"));
      for (int i = 0; i < 3; i++) {
        requests.add(
            SequenceRequest.of(model.prompt(265 + 5 * i, i)).count(1).recurrence(1).exit(exit));
      }
      model.backend.reset();
      List<SequenceRun> batch = model.batch(3, requests);
      assertEquals(3, model.backend.corePasses, "one after the other");
      for (int i = 0; i < requests.size(); i++) {
        SequenceRun alone = model.run(requests.get(i));
        assertSame(alone, batch.get(i), "sequence " + i);
      }
    }
  }

  @Test
  void batchSizeAndRowsAreChecked() {
    try (DecodingModel model = new DecodingModel(DecodingModel.UNTIED)) {
      IllegalArgumentException refusal =
          assertThrows(
              IllegalArgumentException.class,
              () -> new Scheduler(model.backend, model.config, 0, 1).close());
      assertEquals("batch size must be at least 1, not 0", refusal.getMessage());
      model.backend.assertAllFreed();
    }
  }
}
