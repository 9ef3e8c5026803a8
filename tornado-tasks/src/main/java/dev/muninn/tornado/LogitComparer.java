package dev.muninn.tornado;

import dev.muninn.backend.LogitComparison;
import dev.muninn.tornado.kernel.CompareKernels;
import java.util.Arrays;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/** What the coda compares logits with, and what it finds. */
final class LogitComparer {
  /** Distributions that are kept. */
  static final int PLACES = DeviceModel.MOST_ROWS;

  /** The logarithms of what was kept, [places, vocabulary], on the device alone. */
  final FloatArray kept;

  /**
   * What the last coda found of each row that was read out, [rows, {@link LogitComparison#SUMS}].
   */
  final FloatArray sums;

  /** Their number, then {@link CompareKernels#COMPARED} numbers for each row to compare. */
  final IntArray compared;

  private final RegionAllocator free = new RegionAllocator(PLACES);
  private final boolean[] used = new boolean[PLACES];

  /** For codas of so many rows at most. */
  LogitComparer(int mostRows, FloatArray kept) {
    this.kept = kept;
    sums = new FloatArray(mostRows * LogitComparison.SUMS);
    compared = new IntArray(1 + mostRows * CompareKernels.COMPARED);
    clear();
  }

  /** Takes places in which nothing is kept; -1 if there is no room. */
  int take(int count) {
    int first = free.take(count);
    if (first >= 0) {
      Arrays.fill(used, first, first + count, false);
    }
    return first;
  }

  void give(int first, int count) {
    free.give(first, count);
  }

  /** Nothing is to compare. */
  void clear() {
    compared.set(0, 0);
  }

  /** The next coda compares a row that it reads out. */
  void add(int row, int place, boolean likelyOnly) {
    int count = compared.get(0);
    int at = 1 + count * CompareKernels.COMPARED;
    compared.set(at, row);
    compared.set(at + 1, place);
    compared.set(
        at + 2,
        (used[place] ? 0 : CompareKernels.UNIFORM) | (likelyOnly ? CompareKernels.LIKELY_ONLY : 0));
    compared.set(0, count + 1);
    used[place] = true;
  }
}
