package dev.muninn.tornado;

import dev.muninn.cache.KeyValueLayout;
import dev.muninn.cache.KeyValueStore;

/**
 * The cache rows of a sequence: one run of those of the prelude and coda, a position each, and one
 * of those of the recurrent block, slot by slot. Numbers are F32 whatever the layout says.
 */
final class TornadoStore implements KeyValueStore {
  private final RegionAllocator outerRows;
  private final RegionAllocator recurrentRows;
  private final int outerSize;
  private final int recurrentSize;
  private final int outer;
  private final int recurrent;
  private final int capacity;
  private boolean closed;

  /**
   * Takes a layout's rows.
   *
   * @throws dev.muninn.backend.DeviceMemoryException if there are not enough
   */
  TornadoStore(
      KeyValueLayout layout,
      RegionAllocator outerRows,
      RegionAllocator recurrentRows,
      DeviceMemory memory) {
    this.outerRows = outerRows;
    this.recurrentRows = recurrentRows;
    this.capacity = layout.capacity();
    long wanted = (long) layout.policy().slots(layout.recurrences()) * capacity;
    outerSize = capacity;
    recurrentSize = (int) Math.min(wanted, Integer.MAX_VALUE);
    outer = outerRows.take(outerSize);
    recurrent = outer < 0 ? -1 : recurrentRows.take(recurrentSize);
    if (recurrent < 0) {
      if (outer >= 0) {
        outerRows.give(outer, outerSize);
      }
      throw memory.noRoomForSequence(
          outerSize, outerRows.largest(), wanted, recurrentRows.largest());
    }
  }

  /** Cache row of a position in prelude and coda. */
  int outerRow(int position) {
    requireOpen();
    return outer + position;
  }

  /** Cache row of a position in the recurrent block, at a slot. */
  int recurrentRow(int slot, int position) {
    requireOpen();
    return recurrent + slot * capacity + position;
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException("the sequence's keys and values have been freed");
    }
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      outerRows.give(outer, outerSize);
      recurrentRows.give(recurrent, recurrentSize);
    }
  }
}
