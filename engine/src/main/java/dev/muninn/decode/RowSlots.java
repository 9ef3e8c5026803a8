package dev.muninn.decode;

/** The free row slots of a workspace. Allocates nothing after construction. Not thread-safe. */
final class RowSlots {
  private int[] free;
  private int count;

  /** All slots from 0 to below a capacity are free; the lowest is taken first. */
  RowSlots(int capacity) {
    free = new int[capacity];
    count = capacity;
    for (int slot = 0; slot < capacity; slot++) {
      free[slot] = capacity - 1 - slot;
    }
  }

  /** Adds slots up to a greater capacity; those that are taken stay so. */
  void grow(int from, int capacity) {
    int more = capacity - from;
    int[] all = new int[capacity];
    for (int i = 0; i < more; i++) {
      all[i] = capacity - 1 - i;
    }
    System.arraycopy(free, 0, all, more, count);
    free = all;
    count += more;
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
