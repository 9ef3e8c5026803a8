package dev.muninn.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.muninn.family.huginn.HuginnConfig;
import dev.muninn.train.data.Batch;
import java.lang.management.ManagementFactory;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class TrainedModelTest {
  private static final HuginnConfig CONFIG =
      new HuginnConfig(64, 2, 96, 1, 2, 1, 8, 40, 64, 50_000, 1e-6, true, true);

  private static Batch batch(int count, int length) {
    int[] tokens = new int[count * length];
    for (int i = 0; i < tokens.length; i++) {
      tokens[i] = i * 7 % 40;
    }
    int[] labels = tokens.clone();
    return new Batch(count, length, tokens, labels);
  }

  @Test
  void memoryDoesNotGrowWithTheRecurrences() {
    // What classes hold for good comes with the first run.
    retained(4);
    long few = retained(4);
    assertEquals(1, (double) retained(32) / few, 0.02);
    assertEquals(1, (double) retained(128) / few, 0.02);
  }

  /**
   * Bytes that a model holds after a step of r recurrences, four of which are gone back through.
   */
  private static long retained(int recurrence) {
    long before = used();
    try (TrainedModel model = new TrainedModel(CONFIG, true, 1)) {
      TakaseInit.initialize(CONFIG, model.parameters(), 1);
      model.network.refresh();
      model.lossAndGradients(batch(8, 32), StartingStates.drawn(CONFIG, 1), recurrence, 4, 1);
      long after = used();
      model.gatherGradients();
      return after - before;
    }
  }

  private static long used() {
    for (int i = 0; i < 3; i++) {
      System.gc();
    }
    return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
  }

  @Test
  void lossDoesNotDependOnWhatStandsBeside() {
    try (TrainedModel model = new TrainedModel(CONFIG, true, 1);
        TrainedModel other = new TrainedModel(CONFIG, true, 3)) {
      TakaseInit.initialize(CONFIG, model.parameters(), 1);
      TakaseInit.initialize(CONFIG, other.parameters(), 1);
      model.network.refresh();
      other.network.refresh();
      StartingStates states = StartingStates.drawn(CONFIG, 3);
      double alone = model.loss(batch(11, 20), states, 5, null);
      assertEquals(alone, other.loss(batch(11, 20), states, 5, null), 1e-12);
    }
  }

  @Test
  void statesDifferBySequenceAndSeed() {
    float[][] drawn = new float[3][];
    for (int i = 0; i < 3; i++) {
      drawn[i] = new float[2 * 64];
    }
    StartingStates.drawn(CONFIG, 1).fill(0, Rows.of(drawn[0], 2, 64));
    StartingStates.drawn(CONFIG, 1).fill(1, Rows.of(drawn[1], 2, 64));
    StartingStates.drawn(CONFIG, 2).fill(0, Rows.of(drawn[2], 2, 64));
    assertNotEquals(Arrays.toString(drawn[0]), Arrays.toString(drawn[1]));
    assertNotEquals(Arrays.toString(drawn[0]), Arrays.toString(drawn[2]));
  }

  @Test
  void batchesThatDoNotFitAreRefused() {
    try (TrainedModel model = new TrainedModel(CONFIG, true, 1)) {
      StartingStates states = StartingStates.drawn(CONFIG, 1);
      assertThrows(IllegalArgumentException.class, () -> model.loss(batch(1, 65), states, 1, null));
      Batch strange = new Batch(1, 2, new int[] {1, 40}, new int[] {1, 1});
      assertThrows(IllegalArgumentException.class, () -> model.loss(strange, states, 1, null));
      Batch silent = new Batch(1, 2, new int[] {1, 2}, new int[] {-100, -100});
      assertThrows(IllegalArgumentException.class, () -> model.loss(silent, states, 1, null));
    }
  }
}
