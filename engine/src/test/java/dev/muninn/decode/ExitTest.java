package dev.muninn.decode;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.decode.ExitOptions.Prefill;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** When rows leave, in the prompt and behind it. */
class ExitTest {
  private static DecodingModel model;

  @BeforeAll
  static void open() {
    model = new DecodingModel(DecodingModel.F32);
  }

  @AfterAll
  static void close() {
    model.close();
  }

  private static ExitOptions exit(
      ExitCriteria.Factory criterion, int minimum, int every, Prefill prefill) {
    return new ExitOptions(Optional.of(criterion), minimum, every, prefill);
  }

  private static ExitOptions exit(String criterion, Prefill prefill) {
    return exit(ExitCriteria.parse(criterion), 1, 1, prefill);
  }

  private static int[] repeated(int value, int count) {
    int[] values = new int[count];
    Arrays.fill(values, value);
    return values;
  }

  /** Row by row is what the rows' own criteria say; none holds the prompt and nothing else. */
  private static void assertDepths(SequenceRun run, Prefill prefill, int expected) {
    int first = prefill == Prefill.NONE ? run.request.recurrence() : expected;
    int[] depths = repeated(expected, run.request.count());
    depths[0] = first;
    assertArrayEquals(depths, run.recurrences());
    assertArrayEquals(depths, run.task.recurrences());
    int length = run.request.prompt().length;
    assertArrayEquals(
        prefill == Prefill.ROW ? repeated(expected, length) : new int[0],
        run.task.promptRecurrences());
    int behind = (run.request.count() - 1) * expected;
    assertEquals((long) length * first + behind, run.statistics().coreRows());
    assertEquals(first + behind, run.statistics().corePasses());
  }

  @ParameterizedTest
  @CsvSource({
    // minimum, every, check at which it leaves, most recurrences, recurrences
    "1, 1, 1, 9, 1",
    "1, 1, 4, 9, 4",
    "3, 1, 1, 9, 3",
    "3, 1, 2, 9, 4",
    "3, 2, 1, 9, 3",
    "3, 2, 3, 9, 7",
    "1, 4, 2, 9, 5",
    "2, 5, 2, 9, 7",
    "2, 5, 3, 9, 9",
    "8, 1, 1, 9, 8",
    "9, 1, 1, 9, 9",
    "20, 1, 1, 9, 9",
    "1, 1, 9, 9, 9",
    "1, 1, 1, 1, 1"
  })
  void theFirstCheckIsAtTheMinimumAndThenEverySoMany(
      int minimum, int every, int leaves, int most, int expected) {
    for (Prefill prefill : Prefill.values()) {
      for (boolean readsLogits : new boolean[] {false, true}) {
        RecordedExits record = new RecordedExits();
        ExitCriteria.Factory criterion = record.watch(RecordedExits.after(leaves, readsLogits));
        SequenceRun run =
            model.run(
                SequenceRequest.of(39, 0, 86)
                    .recurrence(most)
                    .count(3)
                    .exit(exit(criterion, minimum, every, prefill)));
        assertDepths(run, prefill, expected);
        // At the last recurrence all leave, so nothing is checked there.
        int checks = 0;
        for (int depth = minimum; depth < most && checks < leaves; depth += every) {
          checks++;
        }
        int groups = prefill == Prefill.NONE ? 0 : prefill == Prefill.ROW ? 3 : 1;
        assertEquals(checks * (groups + 2), record.values.size());
        int rows = prefill == Prefill.NONE ? 2 : 5;
        assertEquals(readsLogits ? checks * rows : 0, run.statistics().checkRows());
      }
    }
  }

  /** A criterion is told s_0, then the state and the logits that so many recurrences give. */
  @ParameterizedTest
  @EnumSource(Prefill.class)
  void aCriterionSeesStatesAndLogitsOfEachRecurrence(Prefill prefill) {
    int[] prompt = {39, 0, 86, 10};
    int width = model.config.width();
    int recurrence = 5;
    RecordedExits record = new RecordedExits();
    SequenceRequest request = SequenceRequest.of(prompt).recurrence(recurrence).count(2);
    SequenceRun run =
        model.run(request.exit(exit(record.watch(RecordedExits.never(true)), 1, 1, prefill)));
    InitialStates states = new InitialStates(request.state(), model.config.core().start());
    int rows = prefill == Prefill.ROW ? 1 : prompt.length;
    float[] begin = new float[rows * width];
    float[] state = new float[width];
    for (int row = 0; row < rows; row++) {
      states.fill(row, state);
      System.arraycopy(state, 0, begin, row * width, width);
    }
    assertArrayEquals(begin, record.seen.get(0), "s_0");
    if (prefill == Prefill.ROW) {
      assertEquals(List.of(1, 1, 1, 1, 1), record.begun);
      return;
    }
    assertEquals(List.of(prompt.length, 1), record.begun);
    int at = 1;
    if (prefill == Prefill.GROUP) {
      for (int r = 1; r < recurrence; r++) {
        float[] latents = record.seen.get(at++);
        assertEquals(prompt.length * width, latents.length);
        // The first row's states do not depend on r, so the last row's logits are told by it.
        float[] expected = model.run(request.recurrence(r).count(1)).logits.get(0);
        assertArrayEquals(expected, record.seen.get(at++), "logits after " + r);
      }
    }
    // The forward behind the prompt begins anew, with the state of its position.
    states.fill(prompt.length, state);
    assertArrayEquals(state, record.seen.get(at));
    assertArrayEquals(model.run(request).tokens(), run.tokens());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "kl:0.01",
        "latent-diff:0.1",
        "entropy-diff:0.02",
        "argmax-stability:2",
        "cosine:0.01"
      })
  void noneHoldsThePromptAtAllRecurrences(String criterion) {
    int[] prompt = model.prompt(7, 5);
    SequenceRequest request = SequenceRequest.of(prompt).recurrence(16).count(6);
    SequenceRun run = model.run(request.exit(exit(criterion, Prefill.NONE)));
    assertEquals(16, run.recurrences()[0]);
    ExitCriteria.Factory factory = ExitCriteria.parse(criterion);
    SpelledOut expected =
        new SpelledOut(
            model,
            request,
            position -> position < prompt.length ? null : factory.create(model.config));
    assertArrayEquals(expected.tokenArray(), run.tokens());
    assertArrayEquals(expected.depthArray(prompt.length - 1), run.recurrences());
    assertTrue(Arrays.stream(run.recurrences()).skip(1).anyMatch(r -> r < 16), "nothing left");
  }

  /** A group leaves when its criterion says so, all rows at once, and the coda sees them all. */
  @ParameterizedTest
  @ValueSource(strings = {"kl:0.01", "latent-diff:0.3", "minp-kl:0.01"})
  void aGroupLeavesAtOnce(String criterion) {
    int[] prompt = model.prompt(7, 5);
    SequenceRequest request = SequenceRequest.of(prompt).recurrence(16).count(6);
    SequenceRun run = model.run(request.exit(exit(criterion, Prefill.GROUP)));
    int depth = run.recurrences()[0];
    assertTrue(depth > 1 && depth < 16, "leaves after " + depth);
    ExitCriteria.Factory factory = ExitCriteria.parse(criterion);
    ExitCriteria.Factory fixed = RecordedExits.after(depth, false);
    SpelledOut expected =
        new SpelledOut(
            model,
            request,
            position -> (position < prompt.length ? fixed : factory).create(model.config));
    assertArrayEquals(expected.tokenArray(), run.tokens());
    assertArrayEquals(expected.depthArray(prompt.length - 1), run.recurrences());
    assertArrayEquals(expected.logits.get(prompt.length - 1), run.logits.get(0));
    assertEquals(0, run.task.promptRecurrences().length);
    int behind = Arrays.stream(run.recurrences()).skip(1).sum();
    assertEquals((long) prompt.length * depth + behind, run.statistics().coreRows());
  }

  /**
   * Rows of a prompt that leave by themselves agree with the prompt computed token by token, in
   * parts of 64 rows too. This holds to the last bit for criteria that read latents, since a row
   * sees those before it at its own recurrence, or as deep as they went.
   */
  @ParameterizedTest
  @CsvSource({
    "latent-diff:0.3, 11",
    "latent-diff:0.1, 1",
    "latent-diff:0.12, 100",
    "cosine:0.02, 11"
  })
  void rowsOfThePromptLeaveByThemselves(String criterion, int length) {
    int[] prompt = model.prompt(length, length);
    SequenceRequest request = SequenceRequest.of(prompt).recurrence(12).count(5);
    model.backend.reset();
    SequenceRun run = model.run(request.exit(exit(criterion, Prefill.ROW)));
    ExitCriteria.Factory factory = ExitCriteria.parse(criterion);
    SpelledOut expected = new SpelledOut(model, request, position -> factory.create(model.config));
    assertArrayEquals(Arrays.copyOf(expected.depthArray(0), length), run.task.promptRecurrences());
    assertRowByRow(run, expected);
    if (length > 1) {
      assertTrue(
          Arrays.stream(run.task.promptRecurrences()).distinct().count() > 1, "all left at once");
    }
  }

  /**
   * A criterion that reads logits sees those of the coda over the rows that still think, so depths
   * may differ from those token by token; but what is computed is what these depths give.
   */
  @ParameterizedTest
  @CsvSource({"kl:0.01, 11", "entropy-diff:0.02, 11", "argmax-stability:2, 11", "kl:0.01, 80"})
  void rowsThatLeaveByLogitsHaveTheLogitsOfTheirDepths(String criterion, int length) {
    int[] prompt = model.prompt(length, 1);
    SequenceRequest request = SequenceRequest.of(prompt).recurrence(12).count(5);
    model.backend.reset();
    SequenceRun run = model.run(request.exit(exit(criterion, Prefill.ROW)));
    int[] depths = run.task.promptRecurrences();
    assertTrue(Arrays.stream(depths).distinct().count() > 2, "leave almost at once");
    ExitCriteria.Factory factory = ExitCriteria.parse(criterion);
    SpelledOut expected =
        new SpelledOut(
            model,
            request,
            position ->
                position < length
                    ? RecordedExits.after(depths[position], false).create(model.config)
                    : factory.create(model.config));
    assertRowByRow(run, expected);
    // Nothing stands before the first position, so it leaves as it does alone.
    SequenceRun alone =
        model.run(
            SequenceRequest.of(prompt[0])
                .recurrence(12)
                .count(1)
                .exit(exit(criterion, Prefill.GROUP)));
    assertEquals(alone.recurrences()[0], depths[0]);
  }

  private static void assertRowByRow(SequenceRun run, SpelledOut expected) {
    int length = run.request.prompt().length;
    int[] depths = run.task.promptRecurrences();
    assertArrayEquals(expected.tokenArray(), run.tokens());
    assertArrayEquals(expected.depthArray(length - 1), run.recurrences());
    assertArrayEquals(run.recurrences(), run.task.recurrences());
    assertEquals(depths[length - 1], run.recurrences()[0]);
    for (int i = 0; i < run.tokens().length; i++) {
      assertArrayEquals(expected.logits.get(length - 1 + i), run.logits.get(i), "logits " + i);
    }
    // Rows that have left are not computed.
    long rows = Arrays.stream(expected.depthArray(0)).sum();
    assertEquals(rows, run.statistics().coreRows());
    assertEquals(rows, model.backend.coreRows);
    int passes = 0;
    for (int from = 0; from < length; from += 64) {
      passes += Arrays.stream(depths, from, Math.min(length, from + 64)).max().orElseThrow();
    }
    passes += Arrays.stream(expected.depthArray(length)).sum();
    assertEquals(passes, run.statistics().corePasses());
    assertEquals(passes, model.backend.corePasses);
    assertEquals(expected.depths.size(), model.backend.preludeRows);
  }

  /** The criterion of each row is its own: made once for each, and begun with its state. */
  @Test
  void rowsLeaveAsACriterionOfTheUsersOwnSays() {
    int[] wanted = {4, 1, 7, 2, 7, 3};
    int[] made = {0};
    ExitCriteria.Factory perRow =
        config -> RecordedExits.after(wanted[made[0]++ % wanted.length], true).create(config);
    SequenceRun run =
        model.run(
            SequenceRequest.of(model.prompt(wanted.length, 3))
                .recurrence(6)
                .count(1)
                .exit(exit(perRow, 1, 1, Prefill.ROW)));
    assertArrayEquals(new int[] {4, 1, 6, 2, 6, 3}, run.task.promptRecurrences());
    assertArrayEquals(new int[] {3}, run.recurrences());
    assertEquals(22, run.statistics().coreRows());
    assertEquals(6, run.statistics().corePasses());
    // Six rows are checked after one recurrence, five after two, and so on; at six none is.
    assertEquals(6 + 5 + 4 + 3 + 2, run.statistics().checkRows());
  }

  /** A value that is not a number lets nothing leave. */
  @Test
  void cosineDoesNotLeaveFromZero() {
    SequenceRequest request =
        SequenceRequest.of(39, 0, 86).state(InitialState.zero()).recurrence(4).count(3);
    for (Prefill prefill : Prefill.values()) {
      RecordedExits record = new RecordedExits();
      SequenceRun run =
          model.run(
              request.exit(exit(record.watch(ExitCriteria.parse("cosine:3")), 1, 1, prefill)));
      // The cosine distance is at most 2: the second check lets everything go.
      assertDepths(run, prefill, 2);
      assertTrue(Double.isNaN(record.values.getFirst()));
    }
  }

  /** A criterion begins anew with every forward: what it has seen before does not count. */
  @Test
  void aCriterionIsBegunForEveryForward() {
    RecordedExits record = new RecordedExits();
    SequenceRequest request = SequenceRequest.of(model.prompt(5, 9)).recurrence(8).count(4);
    model.run(request.exit(exit(record.watch(ExitCriteria.parse("kl")), 1, 1, Prefill.GROUP)));
    assertEquals(List.of(5, 1, 1, 1), record.begun);
  }

  @Test
  void rowsOfPromptsInFlight() {
    assertEquals(300, Scheduler.promptRows(300, exit("kl", Prefill.GROUP)));
    assertEquals(64, Scheduler.promptRows(300, exit("kl", Prefill.ROW)));
    assertEquals(9, Scheduler.promptRows(9, exit("kl", Prefill.ROW)));
    assertEquals(256, Scheduler.promptRows(300, exit("kl", Prefill.NONE)));
    assertEquals(256, Scheduler.promptRows(300, ExitOptions.none()));
    assertEquals(9, Scheduler.promptRows(9, ExitOptions.none()));
  }
}
