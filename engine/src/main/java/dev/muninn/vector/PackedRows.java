package dev.muninn.vector;

import static java.nio.ByteOrder.LITTLE_ENDIAN;

import dev.muninn.kernel.Lanes;
import dev.muninn.kernel.NativeMemory;
import dev.muninn.kernel.ScalarKernels;
import dev.muninn.model.WeightFormat;
import dev.muninn.model.WeightMatrix;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorShuffle;

/**
 * Activations in the order in which a product reads them: groups of {@link #TILE} or {@link
 * #WIDE_TILE} rows (or a single row), and in a group, chunk by chunk of {@link Lanes#CHUNK}
 * columns, the first vector of every row and then the second. So the inner loop walks through one
 * stream.
 *
 * <p>16-bit weights come two to an int lane; for them the first vector of a chunk has its even
 * columns and the second its odd ones. Columns that fill no chunk follow row by row.
 *
 * <p>Where weights begin within a cache line, as a file's mostly do, groups of {@link #WIDE_TILE}
 * are displaced by as many columns, with zeros before and behind. So chunks are those of whole
 * cache lines; the zeros meet the weights that lie beside a row. Every lane adds up what it would
 * have added up elsewhere, in the same order, and {@link Lanes} folds lanes that are all displaced
 * by as much to the same sum.
 */
final class PackedRows {
  /**
   * Whether rows are in pairs, few or many: 16 registers of 256 bits are enough for the sums of 2
   * rows and 4 streams of weights, which read less than 4 rows and 2 streams.
   */
  static final boolean PAIRS = Lanes.COUNT == 8;

  /** Rows of a group. */
  static final int TILE = PAIRS ? 2 : 4;

  /** Rows of a group where registers and weights allow, but for a last one of few. */
  static final int WIDE_TILE = 8;

  /**
   * Whether many rows are packed for {@link PackingProducts}. Pairs are as good as that, and so are
   * wide tiles on AMD's processors. Intel's multiply twice as fast as such tiles are read; they are
   * known by their slow subnormal floats.
   */
  private static final boolean PACKING =
      !PAIRS && (Lanes.COUNT < Lanes.SUMS || !SmallIntegers.IN_PLACE);

  private static final VectorShuffle<Float> EVEN =
      VectorShuffle.fromOp(Lanes.FLOATS, lane -> 2 * lane % Lanes.COUNT);
  private static final VectorShuffle<Float> ODD =
      VectorShuffle.fromOp(Lanes.FLOATS, lane -> (2 * lane + 1) % Lanes.COUNT);
  private static final VectorMask<Float> UPPER_HALF =
      VectorMask.fromLong(Lanes.FLOATS, -1L << Lanes.COUNT / 2);

  /**
   * The rows, unless they are in pairs or panels. Not on the heap, where an array begins 16 bytes
   * behind an object's place: there every vector of 64 bytes lies in two cache lines, and takes two
   * reads.
   */
  final MemorySegment data;

  /** The rows where weights lie in panels. */
  private final PanelRows panels = new PanelRows();

  private boolean inPanels;
  private boolean packing;
  private int rows;
  private int columns;
  private boolean paired;
  private int size;
  private int shift;

  /** Room for {@code rows} rows of {@code columns}. */
  PackedRows(int rows, int columns) {
    int most = areMany(rows) ? PackingProducts.LEAST_ROWS : rows;
    int places = rows == 1 || PAIRS ? 1 : Math.ceilDiv(most, WIDE_TILE) * WIDE_TILE;
    data = NativeMemory.allocateAutomatic(4L * places * (columns + Lanes.CHUNK));
    if (areMany(rows) || PAIRS && rows > 1) {
      panels.reserve(rows, columns, WeightFormat.F32);
    }
  }

  /** Room for rows for weights in a format. */
  PackedRows(int rows, int columns, WeightFormat format) {
    this(rows, columns);
    reserve(rows, columns, format);
  }

  /** Makes room for rows for weights in a format. Not while other threads use this. */
  void reserve(int rows, int columns, WeightFormat format) {
    if (format.inPanels()) {
      panels.reserve(rows, columns, format);
    }
  }

  /**
   * The rows where they are in pairs, in the room that panels have otherwise. An array: to check
   * four reads of a segment costs more than that every other vector lies in two cache lines.
   */
  float[] pairs() {
    return panels.values;
  }

  /** The rows as weights in panels need them. */
  PanelRows panels() {
    return panels;
  }

  /** Sets the shape of what is packed next, for a matrix where it is. */
  void shape(int rows, WeightMatrix matrix) {
    long within = matrix.data().address() % Lanes.BYTES;
    // A pair of weights must not lie in two lanes.
    int columns = within % Integer.BYTES == 0 ? (int) (within / Short.BYTES) : 0;
    shape(rows, matrix.columns(), matrix.format(), columns);
  }

  /** Sets the shape of what is packed next, for weights of a format. */
  void shape(int rows, int columns, WeightFormat weights) {
    shape(rows, columns, weights, 0);
  }

  /**
   * Sets the shape of what is packed next.
   *
   * @param shift columns by which groups of {@link #WIDE_TILE} are displaced, even and less than a
   *     chunk
   */
  void shape(int rows, int columns, WeightFormat weights, int shift) {
    shape(rows, columns, weights, shift, !weights.inPanels() && areMany(rows));
  }

  /**
   * Makes room, and sets the shape of what is packed next for {@link PackingProducts}, many rows or
   * few. Not while other threads use this.
   */
  void shapeForPacking(int rows, int columns, WeightFormat weights) {
    panels.reserve(rows, columns, weights);
    shape(rows, columns, weights, 0, true);
  }

  private void shape(int rows, int columns, WeightFormat weights, int shift, boolean packing) {
    this.rows = rows;
    this.columns = columns;
    this.packing = packing;
    this.inPanels = weights.inPanels() || packing;
    if (inPanels) {
      panels.shape(rows, columns, weights);
    }
    this.paired = paired(weights);
    this.size = size(rows, columns, weights);
    this.shift = wide() && !packing ? shift : 0;
  }

  /** Whether so many rows of a row-major matrix are computed by {@link PackingProducts}. */
  static boolean areMany(int rows) {
    return PACKING && rows >= PackingProducts.LEAST_ROWS;
  }

  private static int size(int rows, int columns, WeightFormat weights) {
    return isWide(rows, columns, weights) ? WIDE_TILE : rows == 1 ? 1 : TILE;
  }

  /** Whether rows of that shape have groups of {@link #WIDE_TILE}. */
  static boolean isWide(int rows, int columns, WeightFormat weights) {
    return rows > TILE && weights == WeightFormat.BF16 && Lanes.foldInRegisters(columns);
  }

  /** Whether rows of that shape have a group of {@link #TILE}. */
  static boolean hasTiles(int rows, int columns, WeightFormat weights) {
    return !areMany(rows) && lastSize(rows, size(rows, columns, weights)) == TILE;
  }

  /** Rows of the last group that are read together, if the others have {@code size}. */
  private static int lastSize(int rows, int size) {
    return size == WIDE_TILE && (rows - 1) % WIDE_TILE < TILE ? TILE : size;
  }

  /** Whether weights of a format are read two to an int lane. */
  static boolean paired(WeightFormat weights) {
    return weights != WeightFormat.F32;
  }

  int rows() {
    return rows;
  }

  int columns() {
    return columns;
  }

  /** Whether they are packed for {@link PackingProducts}. */
  boolean packing() {
    return packing;
  }

  boolean paired() {
    return paired;
  }

  /** Whether groups, but for the last, have {@link #WIDE_TILE} rows. */
  boolean wide() {
    return size == WIDE_TILE;
  }

  /** Whether any group has {@link #TILE} rows. */
  boolean hasTiles() {
    return lastSize(rows, size) == TILE;
  }

  private boolean inPairs() {
    return PAIRS && rows > 1;
  }

  /** Columns by which all rows are displaced. */
  int shift() {
    return shift;
  }

  /** Chunks of a row, one more if it is displaced. */
  int chunks() {
    return columns / Lanes.CHUNK + (shift > 0 ? 1 : 0);
  }

  int groups() {
    return Math.ceilDiv(rows, size);
  }

  /** Rows of a group that are read together, 4 in a last one of no more. */
  int groupSize(int group) {
    return group == groups() - 1 ? lastSize(rows, size) : size;
  }

  /** Byte offset of a group's first value. */
  long groupOffset(int group) {
    return 4L * group * size * paddedColumns();
  }

  /** Columns of a row, with the zeros beside them. */
  private int paddedColumns() {
    return shift > 0 ? columns + Lanes.CHUNK : columns;
  }

  /** Byte offset of a row's first vector. */
  long rowOffset(int row) {
    return groupOffset(row / size) + row % size * Lanes.BYTES;
  }

  /** Bytes from a vector of a row to the next. */
  long rowStep(int row) {
    return groupSize(row / size) * Lanes.BYTES;
  }

  /** Byte offset of the first left-over value of a row, behind its group's chunks. */
  long tailOffset(int row) {
    int tail = columns % Lanes.CHUNK;
    int values = groupSize(row / size) * (columns - tail) + row % size * tail;
    return groupOffset(row / size) + 4L * values;
  }

  /** The lane that adds up a left-over column. */
  static int tailLane(int index, boolean paired) {
    return paired ? index / 2 : index % Lanes.COUNT;
  }

  /** Packs one row from {@code source[from, from + columns)}. */
  void pack(int row, float[] source, int from) {
    if (packInPanels(row, source, from)) {
      return;
    }
    long target = rowOffset(row);
    long step = rowStep(row);
    if (shift > 0) {
      packEdge(row, source, from, 0);
      packChunks(
          source, from + Lanes.CHUNK - shift, from + columns - shift, target + 2 * step, step);
      packEdge(row, source, from, chunks() - 1);
      return;
    }
    int end = from + columns - columns % Lanes.CHUNK;
    packChunks(source, from, end, target, step);
    packTail(row, source, end);
  }

  private void packChunks(float[] source, int from, int end, long target, long step) {
    if (inPairs()) {
      packChunks(source, from, end, (int) (target / Float.BYTES), (int) (step / Float.BYTES));
    } else if (paired) {
      for (int i = from; i < end; i += Lanes.CHUNK, target += 2 * step) {
        FloatVector a = FloatVector.fromArray(Lanes.FLOATS, source, i);
        FloatVector b = FloatVector.fromArray(Lanes.FLOATS, source, i + Lanes.COUNT);
        a.rearrange(EVEN)
            .blend(b.rearrange(EVEN), UPPER_HALF)
            .intoMemorySegment(data, target, LITTLE_ENDIAN);
        a.rearrange(ODD)
            .blend(b.rearrange(ODD), UPPER_HALF)
            .intoMemorySegment(data, target + step, LITTLE_ENDIAN);
      }
    } else {
      for (int i = from; i < end; i += Lanes.CHUNK, target += 2 * step) {
        FloatVector.fromArray(Lanes.FLOATS, source, i)
            .intoMemorySegment(data, target, LITTLE_ENDIAN);
        FloatVector.fromArray(Lanes.FLOATS, source, i + Lanes.COUNT)
            .intoMemorySegment(data, target + step, LITTLE_ENDIAN);
      }
    }
  }

  private void packChunks(float[] source, int from, int end, int target, int step) {
    float[] pairs = pairs();
    for (int i = from; i < end; i += Lanes.CHUNK, target += 2 * step) {
      FloatVector a = FloatVector.fromArray(Lanes.FLOATS, source, i);
      FloatVector b = FloatVector.fromArray(Lanes.FLOATS, source, i + Lanes.COUNT);
      if (paired) {
        a.rearrange(EVEN).blend(b.rearrange(EVEN), UPPER_HALF).intoArray(pairs, target);
        a.rearrange(ODD).blend(b.rearrange(ODD), UPPER_HALF).intoArray(pairs, target + step);
      } else {
        a.intoArray(pairs, target);
        b.intoArray(pairs, target + step);
      }
    }
  }

  /** A chunk of a displaced row that has zeros. */
  private void packEdge(int row, float[] source, int from, int chunk) {
    long target = rowOffset(row) + chunk * 2 * rowStep(row);
    for (int i = 0; i < Lanes.CHUNK; i++) {
      int column = chunk * Lanes.CHUNK - shift + i;
      float value = isInside(column) ? source[from + column] : 0;
      ScalarKernels.setF32(data, target + i % 2 * rowStep(row) + i / 2 * 4L, value);
    }
  }

  /** Packs the columns that fill no chunk, from where they stand. */
  void packTail(int row, float[] source, int end) {
    put(source, end, tailOffset(row), columns % Lanes.CHUNK);
  }

  /** Copies values to a byte offset. */
  void put(float[] source, int from, long target, int count) {
    if (inPairs()) {
      System.arraycopy(source, from, pairs(), (int) (target / Float.BYTES), count);
    } else {
      MemorySegment.copy(source, from, data, ScalarKernels.FLOAT, target, count);
    }
  }

  /** The value at a byte offset. */
  float value(long offset) {
    return inPairs() ? pairs()[(int) (offset / Float.BYTES)] : ScalarKernels.f32(data, offset);
  }

  /** Packs a row if it is for panels, and says whether it is. */
  boolean packInPanels(int row, float[] source, int from) {
    if (packing) {
      panels.packByLanes(row, source, from, paired);
    } else if (inPanels) {
      panels.pack(row, source, from);
    }
    return inPanels;
  }

  private boolean isInside(int column) {
    return column >= 0 && column < columns;
  }

  /** All packed values, to be read one by one. */
  float[] values() {
    int last = groups() - 1;
    float[] values = new float[(last * size + groupSize(last)) * paddedColumns()];
    if (inPairs()) {
      System.arraycopy(pairs(), 0, values, 0, values.length);
    } else {
      MemorySegment.copy(data, ScalarKernels.FLOAT, 0, values, 0, values.length);
    }
    return values;
  }
}
