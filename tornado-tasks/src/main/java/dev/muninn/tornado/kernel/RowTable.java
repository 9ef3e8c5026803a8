package dev.muninn.tornado.kernel;

import java.lang.foreign.MemorySegment;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * A call's description of its rows. It stands in the device's memory, since numbers that are
 * arguments of a kernel would be compiled into it.
 *
 * <p>Runs are what {@code SequenceCache.slotRuns} finds: neighbouring positions whose keys and
 * values stand in one plane. A run's {@code base} is where that plane's position 0 stands in the
 * cache, counted in units ({@link CacheFormat}).
 *
 * <p>A step says how far the next recurrence stores or finds keys and values behind those of this
 * one. The device takes it by itself ({@link SlotKernels#advance}).
 */
public final class RowTable {
  /** Number of rows. */
  public static final int ROWS = 0;

  /** Number of rows that are read out. */
  public static final int WANTED = 1;

  /** Numbers that are used, from the first on. */
  static final int LENGTH = 2;

  /** Numbers of a run: first position, base, step. */
  static final int RUN = 3;

  /** The columns of each row: a section of {@code mostRows} numbers each, from this index on. */
  private static final int SECTIONS = 3;

  private static final int IDENTITY = 0;
  private static final int SLOT = 1;
  private static final int POSITION = 2;
  private static final int CACHE_UNIT = 3;
  private static final int RUN_BEGIN = 4;
  private static final int RUN_END = 5;
  private static final int WANTED_ROW = 6;
  private static final int UNITS = 7;
  private static final int STEP = 8;
  private static final int SECTION_COUNT = 9;

  private final IntArray data;
  private final int mostRows;
  private final int mostRuns;
  private int runs;

  /** A table of up to so many rows and runs. */
  public RowTable(int mostRows, int mostRuns) {
    this.mostRows = mostRows;
    this.mostRuns = mostRuns;
    this.data = new IntArray(runs(mostRows) + RUN * mostRuns);
    for (int row = 0; row < mostRows; row++) {
      data.set(identity(mostRows) + row, row);
    }
    clear();
  }

  /** The numbers, as the kernels read them. */
  public IntArray data() {
    return data;
  }

  /** Removes all rows. */
  public void clear() {
    data.set(ROWS, 0);
    data.set(WANTED, 0);
    data.set(LENGTH, runs(mostRows));
    runs = 0;
  }

  /** Rows so far. */
  public int rows() {
    return data.get(ROWS);
  }

  /** Whether another row of so many runs has room. */
  public boolean hasRoom(int runsOfRow) {
    return rows() < mostRows && runs + runsOfRow <= mostRuns;
  }

  /** Adds a row that makes no recurrences, whose runs follow. */
  public void add(int slot, int position, int cacheUnit, int units) {
    add(slot, position, cacheUnit, units, 0);
  }

  /**
   * Adds a row, whose runs follow.
   *
   * @param cacheUnit where its key and value are stored
   * @param units that a position takes
   * @param step from there to where the next recurrence stores them
   */
  public void add(int slot, int position, int cacheUnit, int units, int step) {
    int row = rows();
    data.set(steps(mostRows) + row, step);
    data.set(slots(mostRows) + row, slot);
    data.set(positions(mostRows) + row, position);
    data.set(cacheUnits(mostRows) + row, cacheUnit);
    data.set(units(mostRows) + row, units);
    data.set(runBegins(mostRows) + row, runs);
    data.set(runEnds(mostRows) + row, runs);
    data.set(ROWS, row + 1);
  }

  /** Adds a run of the last row: its first position, and the unit of position 0. */
  public void addRun(int start, int base) {
    addRun(start, base, 0);
  }

  /** The same, with the step to where the next recurrence finds position 0. */
  public void addRun(int start, int base, int step) {
    int at = runs(mostRows) + RUN * runs;
    data.set(at, start);
    data.set(at + 1, base);
    data.set(at + 2, step);
    runs++;
    data.set(runEnds(mostRows) + rows() - 1, runs);
    data.set(LENGTH, at + RUN);
  }

  /** Becomes what another table of the same size is. */
  public void copyFrom(RowTable other) {
    int length = other.data.get(LENGTH);
    MemorySegment.copy(other.data.getSegment(), 0, data.getSegment(), 0, 4L * length);
    runs = other.runs;
  }

  /** Goes on to the next recurrence, as {@link SlotKernels#advance} does on the device. */
  public void advance() {
    for (int row = 0; row < rows(); row++) {
      int unit = cacheUnits(mostRows) + row;
      data.set(unit, data.get(unit) + data.get(steps(mostRows) + row));
    }
    for (int run = 0; run < runs; run++) {
      int base = runs(mostRows) + RUN * run + 1;
      data.set(base, data.get(base) + data.get(base + 1));
    }
  }

  /** Whether another table of the same size has the same rows and runs, whatever their steps. */
  public boolean describes(RowTable other) {
    if (rows() != other.rows() || runs != other.runs) {
      return false;
    }
    for (int section = SLOT; section < STEP; section++) {
      int from = SECTIONS + section * mostRows;
      if (section != WANTED_ROW && !same(other, from, from + rows())) {
        return false;
      }
    }
    for (int run = 0; run < runs; run++) {
      int at = runs(mostRows) + RUN * run;
      if (!same(other, at, at + 2)) {
        return false;
      }
    }
    return true;
  }

  private boolean same(RowTable other, int from, int to) {
    for (int i = from; i < to; i++) {
      if (data.get(i) != other.data.get(i)) {
        return false;
      }
    }
    return true;
  }

  /** The last row is read out; returns its place among the rows that are. */
  public int want() {
    int wanted = data.get(WANTED);
    data.set(wantedRows(mostRows) + wanted, rows() - 1);
    data.set(WANTED, wanted + 1);
    return wanted;
  }

  /** Index of the section that maps a row to itself. */
  public static int identity(int mostRows) {
    return SECTIONS + IDENTITY * mostRows;
  }

  /** Index of the rows' slots. */
  public static int slots(int mostRows) {
    return SECTIONS + SLOT * mostRows;
  }

  /** Index of the rows' positions. */
  static int positions(int mostRows) {
    return SECTIONS + POSITION * mostRows;
  }

  /** Index of where the rows' keys and values are stored. */
  static int cacheUnits(int mostRows) {
    return SECTIONS + CACHE_UNIT * mostRows;
  }

  /** Index of the units that a position of the rows' sequences takes. */
  static int units(int mostRows) {
    return SECTIONS + UNITS * mostRows;
  }

  /** Index of the steps from where the rows' keys and values are stored. */
  static int steps(int mostRows) {
    return SECTIONS + STEP * mostRows;
  }

  /** Index of the rows' first runs. */
  static int runBegins(int mostRows) {
    return SECTIONS + RUN_BEGIN * mostRows;
  }

  /** Index of what is behind the rows' last runs. */
  static int runEnds(int mostRows) {
    return SECTIONS + RUN_END * mostRows;
  }

  /** Index of the rows that are read out. */
  public static int wantedRows(int mostRows) {
    return SECTIONS + WANTED_ROW * mostRows;
  }

  /** Index of the runs, {@link #RUN} numbers each. */
  static int runs(int mostRows) {
    return SECTIONS + SECTION_COUNT * mostRows;
  }
}
