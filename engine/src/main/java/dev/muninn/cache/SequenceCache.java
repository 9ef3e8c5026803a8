package dev.muninn.cache;

import java.util.Arrays;
import java.util.Objects;

/**
 * One sequence's keys and values: which positions exist, how deep each was computed, and the
 * backend's store of the numbers. Not thread-safe.
 */
public final class SequenceCache implements AutoCloseable {
  private final KeyValueLayout layout;
  private final KeyValueStore store;
  private final int[] depth;

  public SequenceCache(KeyValueLayout layout, KeyValueStore store) {
    this.layout = Objects.requireNonNull(layout, "layout");
    this.store = Objects.requireNonNull(store, "store");
    this.depth = new int[layout.capacity()];
  }

  public KeyValueLayout layout() {
    return layout;
  }

  public KeyValueStore store() {
    return store;
  }

  /** Recurrences that are stored for a position, 0 for none. */
  public int depth(int position) {
    return depth[position];
  }

  /**
   * Notes that a position stores a recurrence, counted from 0.
   *
   * @throws IllegalArgumentException if the recurrence is deeper than the layout has room for
   */
  public void recordRecurrence(int position, int recurrence) {
    if (recurrence >= layout.recurrences()) {
      throw new IllegalArgumentException(
          "recurrence " + recurrence + " exceeds the cache's " + layout.recurrences());
    }
    depth[position] = Math.max(depth[position], recurrence + 1);
  }

  /**
   * Takes over the first positions of another sequence, which stays as it is.
   *
   * @param other of a layout that differs in its capacity at most
   * @return false if the backend cannot copy; nothing is then taken over
   */
  public boolean copyFrom(SequenceCache other, int positions) {
    if (!other.store.copyTo(store, positions)) {
      return false;
    }
    System.arraycopy(other.depth, 0, depth, 0, positions);
    return true;
  }

  /** Forgets all positions from {@code length} on. */
  public void truncate(int length) {
    Arrays.fill(depth, length, depth.length, 0);
  }

  /**
   * The slots that a reader at a position and recurrence finds the positions up to its own in, as
   * runs of neighbours with the same slot. For each position that is the slot of the deepest stored
   * recurrence that is not beyond the reader's.
   *
   * @param position the reader's, itself stored already
   * @param recurrence the reader's, from 0
   * @param starts gets the first position of each run, from {@code offset}
   * @param slots gets the slot of each run, from {@code offset}
   * @return number of runs
   */
  public int slotRuns(int position, int recurrence, int[] starts, int[] slots, int offset) {
    SlotPolicy policy = layout.policy();
    int runs = 0;
    int previous = -1;
    for (int p = 0; p <= position; p++) {
      int stored = Math.min(recurrence, depth[p] - 1);
      if (stored == previous) {
        continue;
      }
      previous = stored;
      int slot = policy.slot(stored);
      if (runs == 0 || slots[offset + runs - 1] != slot) {
        starts[offset + runs] = p;
        slots[offset + runs] = slot;
        runs++;
      }
    }
    return runs;
  }

  @Override
  public void close() {
    store.close();
  }
}
