package dev.muninn.vector;

import static java.nio.ByteOrder.LITTLE_ENDIAN;

import dev.muninn.kernel.Lanes;
import dev.muninn.kernel.RowKernels;
import dev.muninn.kernel.ScalarKernels;
import dev.muninn.kernel.WeightedSums;
import dev.muninn.model.WeightFormat;
import dev.muninn.model.WeightMatrix;
import dev.muninn.weights.DType;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/**
 * Attention of many rows of one sequence to the same keys and values, which are read once for all
 * of them: scores are a product of the keys with all queries, weighted sums are one of the values
 * with all weights. Every sum is added up as for a row alone, so that the bits are the same.
 */
final class AttentionTiles {
  /** Most rows that are computed together. */
  static final int MOST_ROWS = 256;

  private static final int COLUMNS = PanelTiles.OUTPUTS;
  private static final int POSITIONS = PanelProducts.INPUTS;

  private final int size;
  private final PackedRows queries;
  private final float[] query;
  private final float[] widened;
  private final float[] sums;
  private final float[] shares = new float[MOST_ROWS];
  private final int[] lengths = new int[MOST_ROWS];
  private float[] scores = new float[0];
  private float[] weights = new float[0];

  /** Scores of each row of a group, which become its weights. */
  private final float[][] lines = new float[PanelRows.GROUP][0];

  // For keys and values in 8 bits.
  private final PanelRows byteQueries = new PanelRows();
  private final float[] byteQuery;
  private final float[] products = new float[PanelRows.GROUP * COLUMNS];
  private final float[] lanes = new float[Lanes.COUNT];

  /** Minus what a query's products are too large by, and what its weighted sums are. */
  private final float[] starts = new float[MOST_ROWS];

  private final float[] valueStarts = new float[MOST_ROWS];
  private int rows;

  AttentionTiles(int size) {
    this.size = size;
    this.queries = new PackedRows(MOST_ROWS, size);
    this.query = new float[size];
    this.byteQuery = ByteKeys.query(size);
    this.widened = new float[Math.max(POSITIONS, ByteBlocks.columns(size)) * COLUMNS];
    this.sums = new float[Math.ceilDiv(size, COLUMNS) * MOST_ROWS * COLUMNS];
  }

  /** Begins with some number of rows. */
  void begin(VectorStore store, int rows) {
    this.rows = rows;
    if (store.type == DType.U8) {
      int columns = ByteBlocks.columns(size);
      byteQueries.reserve(rows, columns, WeightFormat.BF16_PANELS);
      byteQueries.shape(rows, columns, WeightFormat.BF16_PANELS);
    } else if (isWide(store, size, rows)) {
      queries.shape(rows, size, format(store));
    } else {
      queries.shapeForPacking(rows, size, format(store));
    }
  }

  /** Whether scores are computed by {@link WideProducts}. */
  static boolean isWide(VectorStore store, int size, int rows) {
    return store.type != DType.U8
        && PackedRows.isWide(rows, size, format(store))
        && !PackedRows.areMany(rows);
  }

  private static WeightFormat format(VectorStore store) {
    return store.type == DType.BF16 ? WeightFormat.BF16 : WeightFormat.F32;
  }

  /**
   * Takes a row's query.
   *
   * @param length positions that the row sees; no row sees fewer than one before it
   */
  void add(VectorStore store, int row, float[] values, int length) {
    lengths[row] = length;
    if (store.type == DType.U8) {
      starts[row] = ByteKeys.packQuery(values, size, byteQuery);
      byteQueries.pack(row, byteQuery, 0);
      return;
    }
    for (int i = 0; i < size; i++) {
      query[store.type == DType.BF16 ? ScalarKernels.shuffled(i, size) : i] = values[i];
    }
    queries.pack(row, query, 0);
  }

  /** Attends to a head's keys and values. */
  void attend(VectorStore store, int plane, int head, ThreadScratch own) {
    int length = lengths[rows - 1];
    int stride = length + Lanes.COUNT;
    scores = withRoom(scores, rows * stride);
    weights = withRoom(weights, PanelRows.places(rows) * stride);
    if (lines[0].length < stride) {
      for (int i = 0; i < lines.length; i++) {
        lines[i] = new float[Math.max(stride, 2 * lines[i].length)];
      }
    }
    if (store.type == DType.U8) {
      multiplyBytes(store, store.key(plane, head, 0), stride);
    } else {
      multiply(store, store.key(plane, head, 0), stride, own);
    }
    for (int group = 0; group < groups(); group++) {
      for (int row = group * PanelRows.GROUP; row <= lastOf(group); row++) {
        weigh(store, store.value(plane, head, 0), row, group, stride);
      }
      pack(group, stride);
    }
    mix(store, plane, head, stride);
  }

  private static float[] withRoom(float[] kept, int needed) {
    return kept.length >= needed
        ? kept
        : new float[Math.max(needed, Math.min(2 * kept.length, 1 << 28))];
  }

  /** Scores of all positions, for the rows that see them. */
  private void multiply(VectorStore store, long first, int stride, ThreadScratch own) {
    int length = lengths[rows - 1];
    long bytes = (length - 1L) * store.rowBytes() + format(store).bytes(size);
    WeightMatrix keys =
        new WeightMatrix(
            format(store), length, size, store.rowBytes(), store.data.asSlice(first, bytes));
    int position = lengths[0] - lengths[0] % COLUMNS;
    if (position > 0) {
      multiply(keys, 0, position, 0, stride, own);
    }
    int group = 0;
    for (; position < length; position += COLUMNS) {
      group = firstThatSees(position, group);
      int end = Math.min(position + COLUMNS, length);
      multiply(keys, position, end, group, stride, own);
    }
  }

  /** Scores of some positions, for the rows of a group and those behind it. */
  private void multiply(
      WeightMatrix keys, int from, int to, int group, int stride, ThreadScratch own) {
    if (queries.packing()) {
      PackingProducts.multiply(keys, from, to, queries, group, scores, 0, stride, own.product);
      return;
    }
    // So few that tiles do not take them are computed with some before them once more.
    int first = Math.min(from, Math.max(0, to - COLUMNS));
    int wide = PanelRows.GROUP * group / PackedRows.WIDE_TILE;
    WideProducts.multiply(keys, first, to, queries, wide, scores, 0, stride, own.product);
  }

  /** Scores of all positions where keys are in bytes, which are widened first. */
  private void multiplyBytes(VectorStore store, long first, int stride) {
    int columns = ByteBlocks.columns(size);
    int length = lengths[rows - 1];
    int group = 0;
    for (int position = 0; position < length; position += COLUMNS) {
      group = firstThatSees(position, group);
      int count = Math.min(COLUMNS, length - position);
      long keys = first + ByteBlocks.keys(position, columns);
      long scales = first + ByteBlocks.scale(position, store.rows(), columns);
      int whole = ByteBlocks.SIDE * Math.ceilDiv(count, ByteBlocks.SIDE);
      ByteTiles.widenKeys(store.data, keys, columns, whole, widened);
      for (int i = group; i < groups(); i++) {
        Arrays.fill(products, 0);
        for (int lane = 0; lane < COLUMNS; lane += PanelTiles.STEP) {
          int from = byteQueries.offset(i, 0);
          PanelTiles.add(widened, lane, columns, byteQueries.values, from, products, lane);
        }
        for (int row = i * PanelRows.GROUP; row <= lastOf(i); row++) {
          int from = row % PanelRows.GROUP * COLUMNS;
          int to = row * stride + position;
          ByteTiles.finish(products, from, count, starts[row], store.data, scales, scores, to);
        }
      }
    }
  }

  /** The first group, from one on, with a row that sees a position. */
  private int firstThatSees(int position, int group) {
    int first = group;
    while (lengths[lastOf(first)] <= position) {
      first++;
    }
    return first;
  }

  private int groups() {
    return Math.ceilDiv(rows, PanelRows.GROUP);
  }

  /** The last row of a group. */
  private int lastOf(int group) {
    return Math.min(rows, PanelRows.GROUP * (group + 1)) - 1;
  }

  /** Makes a row's scores weights, in its line and for the positions that not all see. */
  private void weigh(VectorStore store, long values, int row, int group, int stride) {
    int count = lengths[row];
    int first = group * PanelRows.GROUP;
    float[] line = lines[row - first];
    System.arraycopy(scores, row * stride, line, 0, count);
    shares[row] = 1 / RowKernels.exponentiate(line, count);
    if (store.type == DType.U8) {
      Arrays.fill(lanes, 0);
      long scales = values + ByteBlocks.scale(0, store.rows(), ByteBlocks.columns(size));
      ByteValues.scale(store.data, scales, 0, count, line, lanes);
      valueStarts[row] = ByteValues.start(lanes);
    }
    int seen = lengths[first];
    System.arraycopy(line, seen, scores, row * stride + seen, count - seen);
  }

  /** Packs the weights of a group's rows, of the positions that all of them see. */
  private void pack(int group, int stride) {
    int first = PanelRows.GROUP * group;
    int last = lastOf(group) - first;
    // Where rows are missing, one stands in for them.
    float[] a = lines[0];
    float[] b = lines[Math.min(1, last)];
    float[] c = lines[Math.min(2, last)];
    float[] d = lines[last];
    int to = first * stride;
    for (int p = 0; p < lengths[first]; p++, to += PanelRows.GROUP) {
      weights[to] = a[p];
      weights[to + 1] = b[p];
      weights[to + 2] = c[p];
      weights[to + 3] = d[p];
    }
  }

  private void mix(VectorStore store, int plane, int head, int stride) {
    int groups = groups();
    int last = lengths[(groups - 1) * PanelRows.GROUP];
    int block = PanelRows.places(rows) * COLUMNS;
    Arrays.fill(sums, 0, Math.ceilDiv(size, COLUMNS) * block, 0);
    for (int column = 0; column < size; column += COLUMNS) {
      int at = column / COLUMNS * block;
      for (int position = 0; position < last; position += POSITIONS) {
        int most = Math.min(POSITIONS, last - position);
        widen(store, plane, head, position, column, most);
        for (int group = 0; group < groups; group++) {
          int count = Math.min(most, lengths[group * PanelRows.GROUP] - position);
          int from = PanelRows.GROUP * (group * stride + position);
          int to = at + group * PanelRows.GROUP * COLUMNS;
          for (int i = 0; i < COLUMNS && count > 0; i += PanelTiles.STEP) {
            PanelTiles.add(widened, i, count, weights, from, sums, to + i);
          }
        }
      }
    }
  }

  /** Widens some columns of the values of some positions. */
  private void widen(
      VectorStore store, int plane, int head, int position, int column, int positions) {
    if (store.type == DType.U8) {
      int rows = store.rows();
      long first = store.value(plane, head, 0) + ByteBlocks.values(position, column, rows);
      int count = Math.min(COLUMNS, ByteBlocks.columns(size) - column);
      int whole = 4 * Math.ceilDiv(positions, 4);
      ByteTiles.widenValues(store.data, first, rows, count, whole, widened);
      return;
    }
    int end = Math.min(size, column + COLUMNS);
    long offset = store.value(plane, head, position);
    int chunked = Math.min(end, size - size % Lanes.CHUNK);
    int rowBytes = store.rowBytes();
    for (int i = column; i < chunked; i += Lanes.CHUNK) {
      if (store.type == DType.BF16) {
        widenBf16(store.data, offset + 2L * i, rowBytes, positions, widened, i - column);
      } else {
        widenF32(store.data, offset + 4L * i, rowBytes, positions, widened, i - column);
      }
    }
    for (int i = Math.max(column, chunked); i < end; i++) {
      for (int p = 0; p < positions; p++) {
        widened[COLUMNS * p + i - column] =
            ScalarKernels.element(store.type, store.data, offset + (long) p * rowBytes, i, size);
      }
    }
  }

  private static void widenBf16(
      MemorySegment data, long offset, int rowBytes, int positions, float[] out, int to) {
    for (int p = 0; p < positions; p++) {
      IntVector v =
          IntVector.fromMemorySegment(
              Lanes.INTS, data, offset + (long) p * rowBytes, LITTLE_ENDIAN);
      v.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().intoArray(out, COLUMNS * p + to);
      v.and(0xFFFF0000).reinterpretAsFloats().intoArray(out, COLUMNS * p + to + Lanes.COUNT);
    }
  }

  private static void widenF32(
      MemorySegment data, long offset, int rowBytes, int positions, float[] out, int to) {
    for (int p = 0; p < positions; p++) {
      long at = offset + (long) p * rowBytes;
      FloatVector.fromMemorySegment(Lanes.FLOATS, data, at, LITTLE_ENDIAN)
          .intoArray(out, COLUMNS * p + to);
      FloatVector.fromMemorySegment(Lanes.FLOATS, data, at + Lanes.BYTES, LITTLE_ENDIAN)
          .intoArray(out, COLUMNS * p + to + Lanes.COUNT);
    }
  }

  /**
   * Reads what a row has mixed.
   *
   * @param out gets it, as many numbers as a head has
   */
  void read(VectorStore store, int plane, int head, int row, float[] out) {
    int block = PanelRows.places(rows) * COLUMNS;
    for (int i = 0; i < size; i++) {
      out[i] = sums[i / COLUMNS * block + row * COLUMNS + i % COLUMNS];
    }
    int seen = lengths[row - row % PanelRows.GROUP];
    int at = row * (lengths[rows - 1] + Lanes.COUNT);
    if (store.type == DType.U8) {
      long first = store.value(plane, head, 0);
      float start = valueStarts[row];
      ByteValues.addRest(
          store.data, first, store.rows(), scores, at, seen, lengths[row], start, out);
    } else if (seen < lengths[row]) {
      // Positions that not all of the group see.
      WeightedSums.add(
          store.type,
          store.data,
          store.value(plane, head, seen),
          size,
          scores,
          at + seen,
          at + lengths[row],
          out);
    }
    for (int i = 0; i < size; i++) {
      out[i] *= shares[row];
    }
  }
}
