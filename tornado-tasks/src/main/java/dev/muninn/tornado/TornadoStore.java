package dev.muninn.tornado;

import dev.muninn.backend.BackendException;
import dev.muninn.backend.Backends;
import dev.muninn.cache.KeyValueLayout;
import dev.muninn.cache.KeyValueStore;
import dev.muninn.cache.KeyValueType;
import dev.muninn.tornado.kernel.CacheFormat;

/**
 * The units ({@link CacheFormat}) of a sequence: one run of those of the prelude and coda, and one
 * of those of the recurrent block, slot by slot; position by position in both.
 */
final class TornadoStore implements KeyValueStore {
  private final RegionAllocator outerUnits;
  private final RegionAllocator recurrentUnits;
  private final int outerSize;
  private final int recurrentSize;
  private final int outer;
  private final int recurrent;
  private final int capacity;
  private final int units;
  private boolean closed;

  /**
   * Takes a layout's units.
   *
   * @throws dev.muninn.backend.DeviceMemoryException if there are not enough
   */
  TornadoStore(
      KeyValueLayout layout,
      RegionAllocator outerUnits,
      RegionAllocator recurrentUnits,
      DeviceMemory memory) {
    this.outerUnits = outerUnits;
    this.recurrentUnits = recurrentUnits;
    this.capacity = layout.capacity();
    this.units = units(layout.type());
    long wanted = (long) layout.policy().slots(layout.recurrences()) * capacity * units;
    outerSize = Math.multiplyExact(capacity, units);
    recurrentSize = (int) Math.min(wanted, Integer.MAX_VALUE);
    outer = outerUnits.take(outerSize);
    recurrent = outer < 0 ? -1 : recurrentUnits.take(recurrentSize);
    if (recurrent < 0) {
      if (outer >= 0) {
        outerUnits.give(outer, outerSize);
      }
      throw memory.noRoom(layout, outerUnits.largest(), recurrentUnits.largest());
    }
  }

  /** Units that a position takes. */
  static int units(KeyValueType type) {
    return switch (type) {
      case F32 -> CacheFormat.F32_UNITS;
      case BF16 -> CacheFormat.BF16_UNITS;
      case Q8 ->
          throw new BackendException(
              "the backend "
                  + Backends.TORNADO
                  + " keeps keys and values in f32 or bf16, not in q8: use --kv-type bf16");
    };
  }

  /** The same of this sequence. */
  int units() {
    return units;
  }

  /** Where a position of prelude and coda begins. */
  int outerUnit(int position) {
    requireOpen();
    return outer + position * units;
  }

  /** Where a position of the recurrent block begins, at a slot. */
  int recurrentUnit(int slot, int position) {
    requireOpen();
    return recurrent + (slot * capacity + position) * units;
  }

  /** Units from one slot of the recurrent block to another. */
  int step(int from, int to) {
    return (to - from) * capacity * units;
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
      outerUnits.give(outer, outerSize);
      recurrentUnits.give(recurrent, recurrentSize);
    }
  }
}
