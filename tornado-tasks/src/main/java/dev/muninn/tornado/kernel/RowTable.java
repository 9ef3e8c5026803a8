package dev.muninn.tornado.kernel;

import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * A call's description of its rows. It travels to the device with every call, since numbers that
 * are arguments of a kernel would be compiled into it.
 *
 * <p>Runs are what {@code SequenceCache.slotRuns} finds: neighbouring positions whose keys and
 * values stand in one plane. A run's {@code base} is where that plane's position 0 stands in the
 * cache, counted in units ({@link CacheFormat}).
 */
public final class RowTable {
  /** Number of rows. */
  public static final int ROWS = 0;

  /** Number of rows that are read out. */
  public static final int WANTED = 1;

  /** The columns of each row: a section of {@code mostRows} numbers each, from this index on. */
  private static final int SECTIONS = 2;

  private static final int IDENTITY = 0;
  private static final int SLOT = 1;
  private static final int POSITION = 2;
  private static final int CACHE_UNIT = 3;
  private static final int RUN_BEGIN = 4;
  private static final int RUN_END = 5;
  private static final int WANTED_ROW = 6;
  private static final int UNITS = 7;
  private static final int SECTION_COUNT = 8;

  private final IntArray data;
  private final int mostRows;
  private final int mostRuns;
  private int runs;

  /** A table of up to so many rows and runs. */
  public RowTable(int mostRows, int mostRuns) {
    this.mostRows = mostRows;
    this.mostRuns = mostRuns;
    this.data = new IntArray(runs(mostRows) + 2 * mostRuns);
    for (int row = 0; row < mostRows; row++) {
      data.set(identity(mostRows) + row, row);
    }
  }

  /** The numbers, as the kernels read them. */
  public IntArray data() {
    return data;
  }

  /** Removes all rows. */
  public void clear() {
    data.set(ROWS, 0);
    data.set(WANTED, 0);
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

  /**
   * Adds a row, whose runs follow.
   *
   * @param cacheUnit where its key and value are stored
   * @param units that a position takes
   */
  public void add(int slot, int position, int cacheUnit, int units) {
    int row = rows();
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
    data.set(runs(mostRows) + 2 * runs, start);
    data.set(runs(mostRows) + 2 * runs + 1, base);
    runs++;
    data.set(runEnds(mostRows) + rows() - 1, runs);
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

  /** Index of the runs: first position and base of each. */
  static int runs(int mostRows) {
    return SECTIONS + SECTION_COUNT * mostRows;
  }
}
