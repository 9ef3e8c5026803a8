package dev.muninn.cache;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SlotPolicyTest {

  @Test
  void fullKeepsEveryRecurrence() {
    assertEquals(List.of(0, 1, 2, 3, 4, 5), slots(SlotPolicy.full(), 6));
    assertEquals(6, SlotPolicy.full().slots(6));
  }

  @Test
  void budgetTakesSlotsInTurn() {
    assertEquals(List.of(0, 0, 0, 0), slots(new SlotPolicy.Budget(1), 4));
    assertEquals(List.of(0, 1, 2, 0, 1, 2, 0), slots(new SlotPolicy.Budget(3), 7));
    assertEquals(1, new SlotPolicy.Budget(1).slots(32));
    assertEquals(3, new SlotPolicy.Budget(3).slots(32));
    assertEquals(2, new SlotPolicy.Budget(3).slots(2));
  }

  @Test
  void anchorKeepsTheFirstAndSharesOneMore() {
    assertEquals(List.of(0, 1, 1, 1), slots(new SlotPolicy.Anchor(1), 4));
    assertEquals(List.of(0, 1, 2, 3, 3, 3, 3), slots(new SlotPolicy.Anchor(3), 7));
    assertEquals(2, new SlotPolicy.Anchor(1).slots(32));
    assertEquals(4, new SlotPolicy.Anchor(3).slots(32));
    assertEquals(3, new SlotPolicy.Anchor(3).slots(3));
  }

  private static List<Integer> slots(SlotPolicy policy, int recurrences) {
    return IntStream.range(0, recurrences).mapToObj(policy::slot).toList();
  }

  /** A slot that a layout made no room for would lie in another block's plane. */
  @Test
  void noSlotIsBeyondThoseThatAreCounted() {
    for (int size = 1; size <= 9; size++) {
      for (SlotPolicy policy :
          new SlotPolicy[] {
            SlotPolicy.full(), new SlotPolicy.Budget(size), new SlotPolicy.Anchor(size)
          }) {
        for (int recurrences = 1; recurrences <= 20; recurrences++) {
          int highest = slots(policy, recurrences).stream().mapToInt(slot -> slot).max().orElse(-1);
          assertEquals(policy.slots(recurrences), highest + 1, policy + " at " + recurrences);
        }
      }
    }
  }

  @Test
  void names() {
    assertEquals("full", SlotPolicy.full().toString());
    assertEquals("budget:4", new SlotPolicy.Budget(4).toString());
    assertEquals("anchor:8", new SlotPolicy.Anchor(8).toString());
  }

  @Test
  void namesAreReadBack() {
    for (SlotPolicy policy :
        new SlotPolicy[] {
          SlotPolicy.full(), new SlotPolicy.Budget(4), new SlotPolicy.Anchor(999_999)
        }) {
      assertEquals(policy, SlotPolicy.parse(policy.toString()));
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "Full",
        "full:1",
        "budget",
        "budget:",
        "budget:0",
        "budget:-1",
        "anchor:x",
        "anchor:1:2",
        "budget: 1",
        "anchor:12345678901",
        "lru:4"
      })
  void otherNamesAreRefused(String name) {
    String message =
        assertThrows(IllegalArgumentException.class, () -> SlotPolicy.parse(name)).getMessage();
    assertEquals(1, message.lines().count(), message);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, -1, Integer.MIN_VALUE})
  void refusals(int size) {
    String budget =
        assertThrows(IllegalArgumentException.class, () -> new SlotPolicy.Budget(size))
            .getMessage();
    assertEquals("budget must be at least 1, not " + size, budget);
    String anchor =
        assertThrows(IllegalArgumentException.class, () -> new SlotPolicy.Anchor(size))
            .getMessage();
    assertTrue(anchor.contains("anchor") && anchor.contains("" + size), anchor);
  }
}
