package dev.muninn.cache;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.family.huginn.HuginnConfig;
import dev.muninn.model.RecurrentModel;
import dev.muninn.model.ShapeOnly;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class SequenceCacheTest {
  private static final RecurrentModel CONFIG =
      ShapeOnly.of(new HuginnConfig(8, 2, 8, 1, 2, 1, 4, 8, 64, 50_000, 1e-6, true, true));
  private static final int CAPACITY = 40;
  private static final int RECURRENCES = 12;

  private static SequenceCache cache(SlotPolicy policy) {
    return new SequenceCache(new KeyValueLayout(CONFIG, policy, RECURRENCES, CAPACITY), () -> {});
  }

  private static SlotPolicy[] policies() {
    return new SlotPolicy[] {
      SlotPolicy.full(),
      new SlotPolicy.Budget(1),
      new SlotPolicy.Budget(3),
      new SlotPolicy.Budget(20),
      new SlotPolicy.Anchor(1),
      new SlotPolicy.Anchor(4),
      new SlotPolicy.Anchor(20)
    };
  }

  /**
   * The definition, position by position: the deepest stored recurrence not beyond the reader's.
   */
  private static int slot(SlotPolicy policy, int depth, int reader) {
    int recurrence = reader;
    while (recurrence >= depth) {
      recurrence--;
    }
    return switch (policy) {
      case SlotPolicy.Full ignored -> recurrence;
      case SlotPolicy.Budget budget -> recurrence % budget.size();
      case SlotPolicy.Anchor anchor -> recurrence < anchor.size() ? recurrence : anchor.size();
    };
  }

  @Test
  void slotRunsOfRandomDepths() {
    SplittableRandom random = new SplittableRandom(1);
    for (SlotPolicy policy : policies()) {
      for (int repetition = 0; repetition < 200; repetition++) {
        try (SequenceCache cache = cache(policy)) {
          int length = 1 + random.nextInt(CAPACITY);
          int[] depths = new int[length];
          // Few different depths make long runs, many make short ones.
          int kinds = 1 + random.nextInt(RECURRENCES);
          for (int p = 0; p < length; p++) {
            depths[p] = p > 0 && random.nextInt(3) > 0 ? depths[p - 1] : 1 + random.nextInt(kinds);
            for (int recurrence = 0; recurrence < depths[p]; recurrence++) {
              cache.recordRecurrence(p, recurrence);
            }
          }
          int position = random.nextInt(length);
          int reader = random.nextInt(depths[position]);
          checkRuns(cache, policy, depths, position, reader, random.nextInt(5));
        }
      }
    }
  }

  private static void checkRuns(
      SequenceCache cache, SlotPolicy policy, int[] depths, int position, int reader, int offset) {
    int[] starts = new int[offset + position + 2];
    int[] slots = new int[offset + position + 2];
    Arrays.fill(starts, -7);
    int runs = cache.slotRuns(position, reader, starts, slots, offset);
    assertTrue(runs >= 1 && runs <= position + 1, () -> runs + " runs");
    assertEquals(0, starts[offset], "the first run's start");
    for (int i = 0; i < offset; i++) {
      assertEquals(-7, starts[i], "a place before the offset");
    }
    assertEquals(-7, starts[offset + runs], "the place behind the last run");
    for (int run = 0; run < runs; run++) {
      int end = run + 1 < runs ? starts[offset + run + 1] : position + 1;
      assertTrue(starts[offset + run] < end, "an empty run");
      if (run > 0) {
        assertNotEquals(slots[offset + run - 1], slots[offset + run], "neighbours of one slot");
      }
      for (int p = starts[offset + run]; p < end; p++) {
        assertEquals(
            slot(policy, depths[p], reader),
            slots[offset + run],
            policy + ", position " + p + " of depth " + depths[p] + " read at " + reader);
      }
    }
  }

  @Test
  void onePassOfEqualDepthIsOneRun() {
    for (SlotPolicy policy : policies()) {
      try (SequenceCache cache = cache(policy)) {
        for (int p = 0; p < CAPACITY; p++) {
          cache.recordRecurrence(p, RECURRENCES - 1);
        }
        int[] starts = new int[CAPACITY];
        int[] slots = new int[CAPACITY];
        for (int reader = 0; reader < RECURRENCES; reader++) {
          assertEquals(1, cache.slotRuns(CAPACITY - 1, reader, starts, slots, 0));
          assertEquals(0, starts[0]);
          assertEquals(policy.slot(reader), slots[0]);
        }
      }
    }
  }

  @Test
  void depthIsTheDeepestRecorded() {
    try (SequenceCache cache = cache(SlotPolicy.full())) {
      assertEquals(0, cache.depth(3));
      cache.recordRecurrence(3, 0);
      assertEquals(1, cache.depth(3));
      cache.recordRecurrence(3, 5);
      cache.recordRecurrence(3, 2);
      assertEquals(6, cache.depth(3));
      assertEquals(0, cache.depth(2));
      assertEquals(0, cache.depth(4));
    }
  }

  @Test
  void truncationForgetsFromLengthOn() {
    try (SequenceCache cache = cache(SlotPolicy.full())) {
      for (int p = 0; p < CAPACITY; p++) {
        cache.recordRecurrence(p, p % RECURRENCES);
      }
      cache.truncate(CAPACITY);
      assertEquals((CAPACITY - 1) % RECURRENCES + 1, cache.depth(CAPACITY - 1));
      cache.truncate(17);
      for (int p = 0; p < CAPACITY; p++) {
        assertEquals(p < 17 ? p % RECURRENCES + 1 : 0, cache.depth(p), "position " + p);
      }
      // What is computed anew is as shallow as it is, not as what stood there before.
      cache.recordRecurrence(17, 0);
      assertEquals(1, cache.depth(17));
      cache.truncate(0);
      assertEquals(0, cache.depth(0));
    }
  }

  @Test
  void recurrenceBeyondTheLayoutIsRefused() {
    try (SequenceCache cache = cache(new SlotPolicy.Budget(2))) {
      cache.recordRecurrence(0, RECURRENCES - 1);
      String message =
          assertThrows(IllegalArgumentException.class, () -> cache.recordRecurrence(0, RECURRENCES))
              .getMessage();
      assertTrue(message.contains("12"), message);
      assertEquals(RECURRENCES, cache.depth(0));
    }
  }

  @Test
  void closingClosesTheStore() {
    int[] closed = {0};
    KeyValueLayout layout = new KeyValueLayout(CONFIG, SlotPolicy.full(), 1, 1);
    SequenceCache cache = new SequenceCache(layout, () -> closed[0]++);
    assertEquals(0, closed[0]);
    cache.close();
    assertEquals(1, closed[0]);
  }
}
