package dev.muninn.decode;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.backend.LatentComparison;
import dev.muninn.decode.ExitOptions.Prefill;
import dev.muninn.model.ExitGate;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Exits on a device that compares the states itself: rows leave as they do elsewhere. */
class SummedExitTest {
  private static DecodingModel model;

  @BeforeAll
  static void open() {
    model = new DecodingModel(DecodingModel.F32);
  }

  @AfterAll
  static void close() {
    model.close();
  }

  private static ExitOptions exit(String criterion, int every, Prefill prefill) {
    return new ExitOptions(Optional.of(ExitCriteria.parse(criterion)), 1, every, prefill);
  }

  @ParameterizedTest
  @CsvSource({"latent-diff:0.1, 1", "latent-diff:0.2, 3", "cosine:0.01, 1", "cosine:0.02, 2"})
  void noStateIsRead(String criterion, int every) {
    for (Prefill prefill : Prefill.values()) {
      SequenceRequest request =
          SequenceRequest.of(model.prompt(7, 5))
              .recurrence(14)
              .count(5)
              .exit(exit(criterion, every, prefill));
      SequenceRun expected = model.run(request);
      model.backend.compareStates(true);
      model.backend.keepAccesses();
      SequenceRun run = model.run(request);
      model.backend.compareStates(false);
      assertArrayEquals(expected.tokens(), run.tokens());
      assertArrayEquals(expected.recurrences(), run.recurrences());
      assertArrayEquals(expected.task.promptRecurrences(), run.task.promptRecurrences());
      assertTrue(Arrays.stream(run.recurrences()).anyMatch(depth -> depth < 14), "nothing left");
      assertEquals(
          0,
          model.backend.accesses.stream()
              .filter(one -> one.access() == CountingBackend.Access.READ_LATENT)
              .count());
    }
  }

  @ParameterizedTest
  @CsvSource({
    "kl:0.01, 1",
    "kl:0.02, 3",
    "minp-kl:0.001, 1",
    "entropy-diff:0.05, 2",
    "argmax-stability:2, 1"
  })
  void onlyLogitsOfTokensAreRead(String criterion, int every) {
    for (Prefill prefill : Prefill.values()) {
      SequenceRequest request =
          SequenceRequest.of(model.prompt(7, 5))
              .recurrence(14)
              .count(5)
              .exit(exit(criterion, every, prefill));
      SequenceRun expected = model.run(request);
      assertTrue(
          Arrays.stream(expected.recurrences()).anyMatch(depth -> depth < 14), "nothing left");
      for (int places : new int[] {7, 1, 0}) {
        PlainLogitComparison device =
            new PlainLogitComparison(places, model.config.vocabularySize());
        model.backend.compareLogits(device);
        model.backend.reset();
        SequenceRun run = model.run(request);
        model.backend.compareLogits(null);
        assertArrayEquals(expected.tokens(), run.tokens());
        assertArrayEquals(expected.recurrences(), run.recurrences());
        assertArrayEquals(expected.task.promptRecurrences(), run.task.promptRecurrences());
        assertEquals(0, device.taken(), "places are left");
        assertEquals(places > 0, device.compared > 0);
        if (places == 7) {
          assertEquals(5, model.backend.logitsRead, prefill + ": logits of each token once");
        }
      }
    }
  }

  /** A sequence that is given up leaves nothing behind. */
  @Test
  void placesOfASequenceThatEndsEarlyAreFree() {
    PlainLogitComparison device = new PlainLogitComparison(7, model.config.vocabularySize());
    SequenceRequest request =
        SequenceRequest.of(model.prompt(7, 5)).recurrence(14).exit(exit("kl", 1, Prefill.ROW));
    model.backend.compareLogits(device);
    try (Scheduler scheduler = Scheduler.growing(model.backend, model.config, 7)) {
      scheduler.add(model.prepare(request).task);
      scheduler.step();
      assertEquals(7, device.taken());
    }
    model.backend.compareLogits(null);
    assertEquals(0, device.taken());
  }

  /** Rows in flight move to a larger workspace, and with them what they are compared with. */
  @ParameterizedTest
  @ValueSource(strings = {"latent-diff:0.1", "cosine:0.01", "kl:0.01"})
  void rowsThatMoveGoOn(String criterion) {
    SequenceRequest request =
        SequenceRequest.of(model.prompt(3, 5))
            .recurrence(14)
            .count(6)
            .exit(exit(criterion, 1, Prefill.GROUP));
    SequenceRun expected = model.run(request);
    model.backend.compareStates(true);
    model.backend.compareLogits(new PlainLogitComparison(4, model.config.vocabularySize()));
    SequenceRun moved = model.prepare(request);
    SequenceRun other = model.prepare(SequenceRequest.of(model.prompt(200, 6)).count(2));
    try (Scheduler scheduler =
        Scheduler.growing(model.backend, model.config, Scheduler.rows(moved.task))) {
      scheduler.add(moved.task);
      for (int step = 0; step < 2; step++) {
        scheduler.step();
      }
      scheduler.add(other.task);
      boolean more = true;
      while (more) {
        more = scheduler.step();
      }
    } finally {
      model.backend.compareStates(false);
      model.backend.compareLogits(null);
    }
    assertArrayEquals(expected.tokens(), moved.tokens());
    assertArrayEquals(expected.recurrences(), moved.recurrences());
  }

  /**
   * Sums of floats say what criteria find in the states, also where the two are nearly the same.
   */
  @ParameterizedTest
  @ValueSource(doubles = {1, 1e-2, 1e-4})
  void sumsSayWhatTheStatesDo(double change) {
    int width = 5280;
    SplittableRandom random = new SplittableRandom(3);
    float[] before = new float[2 * width];
    float[] after = new float[2 * width];
    float[] sums = new float[3 * LatentComparison.SUMS];
    for (int i = 0; i < after.length; i++) {
      before[i] = (float) random.nextDouble(-1, 1);
      after[i] = (float) (before[i] * 1.01 + change * random.nextDouble(-1, 1));
      int row = (1 + i / width) * LatentComparison.SUMS;
      float difference = after[i] - before[i];
      sums[row + LatentComparison.CHANGE] += difference * difference;
      sums[row + LatentComparison.GROWTH] += difference * (after[i] + before[i]);
      sums[row + LatentComparison.SQUARE] += after[i] * after[i];
    }
    for (SummedCriterion criterion :
        List.of(new LatentExits.LatentDifference(1), new LatentExits.Cosine(1))) {
      criterion.begin(before, 2, width);
      double expected = criterion.measure(after, 2, width, null);
      criterion.begin(2);
      assertEquals(expected, criterion.measure(sums, 1, 2), 1e-3 * expected + 1e-8);
    }
  }

  /** As of states that begin at zero. A float's square is seldom that of its root. */
  @ParameterizedTest
  @ValueSource(floats = {0.1f, 0.2f, 0.3f, 3, 7.7f, 1e-20f})
  void nothingHasAnAngleToZero(float square) {
    SummedCriterion cosine = new LatentExits.Cosine(1);
    cosine.begin(1);
    float[] sums = new float[LatentComparison.SUMS];
    sums[LatentComparison.CHANGE] = square;
    sums[LatentComparison.GROWTH] = square;
    sums[LatentComparison.SQUARE] = square;
    assertTrue(Double.isNaN(cosine.measure(sums, 0, 1)));
  }

  @Test
  void theGateCumulatesProducts() {
    ExitGate gate = new ExitGate(new float[] {0.5f, -1}, 0.25f, 0.8);
    SummedCriterion byStates = new LearnedGate(gate, 0.8);
    SummedCriterion bySums = new LearnedGate(gate, 0.8);
    byStates.begin(new float[2], 1, 2);
    bySums.begin(1);
    for (int step = 1; step < 4; step++) {
      float[] state = {step, 0.5f};
      float[] sums = new float[LatentComparison.SUMS];
      sums[LatentComparison.GATE] = 0.5f * step - 0.5f;
      assertEquals(
          byStates.measure(state, 1, 2, null), bySums.measure(sums, 0, 1), 1e-12, "step " + step);
    }
  }
}
