package dev.muninn.decode;

/** The free row slots of a workspace. Allocates nothing after construction. Not thread-safe. */
final class RowSlots {
  private final int[] free;
  private int count;

  /** All slots from 0 to below a capacity are free; the lowest is taken first. */
  RowSlots(int capacity) {
    free = new int[capacity];
    count = capacity;
    for (int slot = 0; slot < capacity; slot++) {
      free[slot] = capacity - 1 - slot;
    }
  }

  /** Number of free slots. */
  int free() {
    return count;
  }

  /** Takes the slot that was given back last. */
  int take() {
    return free[--count];
  }

  void giveBack(int slot) {
    free[count++] = slot;
  }
}
