package dev.muninn.vector;

import static java.nio.ByteOrder.LITTLE_ENDIAN;

import dev.muninn.kernel.Lanes;
import dev.muninn.kernel.NativeMemory;
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
  private final float[] widened = new float[POSITIONS * COLUMNS];
  private final float[] sums;
  private final float[] shares = new float[MOST_ROWS];
  private final int[] lengths = new int[MOST_ROWS];
  private float[] scores = new float[0];
  private float[] weights = new float[0];

  /** Scores of each row of a group, which become its weights. */
  private final float[][] lines = new float[PanelRows.GROUP][0];

  // For keys and values in 8 bits: what a query's products start from, what its weighted sums do,
  // scales by position, and widened keys of a few positions.
  private final float[] starts = new float[MOST_ROWS];
  private final float[] valueStarts = new float[MOST_ROWS];
  private float[] keyScales = new float[0];
  private float[] valueScales = new float[0];
  private MemorySegment keyRows = MemorySegment.NULL;

  AttentionTiles(int size) {
    this.size = size;
    this.queries = new PackedRows(MOST_ROWS, size);
    this.query = new float[size];
    this.sums = new float[Math.ceilDiv(size, COLUMNS) * MOST_ROWS * COLUMNS];
  }

  /** Begins with some number of rows. */
  void begin(VectorStore store, int rows) {
    if (isWide(store, size, rows)) {
      queries.shape(rows, size, format(store));
    } else {
      queries.shapeForPacking(rows, size, format(store));
    }
  }

  /** Whether scores are computed by {@link WideProducts}. */
  static boolean isWide(VectorStore store, int size, int rows) {
    return PackedRows.isWide(rows, size, format(store)) && !PackedRows.areMany(rows);
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
    float sum = 0;
    for (int i = 0; i < size; i++) {
      switch (store.type) {
        case BF16 -> query[ScalarKernels.shuffled(i, size)] = values[i];
        case U8 -> {
          sum += values[i];
          query[i] = values[i] * ByteRows.factor(i, size);
        }
        default -> query[i] = values[i];
      }
    }
    starts[row] = -ByteRows.ZERO * sum;
    queries.pack(row, query, 0);
  }

  /** Attends to a head's keys and values. */
  void attend(VectorStore store, int plane, int head, ThreadScratch own) {
    int rows = queries.rows();
    int length = lengths[rows - 1];
    int stride = length + Lanes.COUNT;
    if (scores.length < rows * stride) {
      scores = new float[Math.max(rows * stride, Math.min(2 * scores.length, 1 << 28))];
      weights = new float[scores.length + PanelRows.GROUP * stride];
    }
    if (lines[0].length < stride) {
      for (int i = 0; i < lines.length; i++) {
        lines[i] = new float[Math.max(stride, 2 * lines[i].length)];
      }
    }
    boolean inBytes = store.type == DType.U8;
    if (inBytes) {
      multiplyBytes(store, store.key(plane, head, 0), stride, own);
    } else {
      multiply(store, store.key(plane, head, 0), stride, own);
    }
    if (inBytes) {
      ByteTiles.scales(store.data, store.key(plane, head, 0), size, length, keyScales);
      ByteTiles.scales(store.data, store.value(plane, head, 0), size, length, valueScales);
    }
    for (int group = 0; group < groups(); group++) {
      for (int row = group * PanelRows.GROUP; row <= lastOf(group); row++) {
        weigh(row, group, stride, inBytes);
      }
      pack(group, stride);
    }
    mix(store, plane, head, stride);
  }

  /** Scores of all positions, for the rows that see them. */
  private void multiply(VectorStore store, long first, int stride, ThreadScratch own) {
    int length = lengths[queries.rows() - 1];
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
  private void multiplyBytes(VectorStore store, long first, int stride, ThreadScratch own) {
    int length = lengths[queries.rows() - 1];
    long rowBytes = (long) Float.BYTES * size;
    if (keyRows.byteSize() == 0) {
      keyRows = NativeMemory.allocateAutomatic(COLUMNS * rowBytes);
    }
    int group = 0;
    for (int position = 0; position < length; position += COLUMNS) {
      group = firstThatSees(position, group);
      int count = Math.min(COLUMNS, length - position);
      ByteTiles.widen(store.data, first + (long) position * store.rowBytes(), size, count, keyRows);
      WeightMatrix keys =
          new WeightMatrix(WeightFormat.F32, count, size, keyRows.asSlice(0, count * rowBytes));
      PackingProducts.multiply(
          keys, 0, count, queries, group, scores, position, stride, own.product);
    }
    if (keyScales.length < length + Lanes.COUNT) {
      keyScales = new float[Math.max(length + Lanes.COUNT, 2 * keyScales.length)];
      valueScales = new float[keyScales.length];
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
    return Math.ceilDiv(queries.rows(), PanelRows.GROUP);
  }

  /** The last row of a group. */
  private int lastOf(int group) {
    return Math.min(queries.rows(), PanelRows.GROUP * (group + 1)) - 1;
  }

  /** Makes a row's scores weights, in its line and for the positions that not all see. */
  private void weigh(int row, int group, int stride, boolean inBytes) {
    int count = lengths[row];
    int first = group * PanelRows.GROUP;
    float[] line = lines[row - first];
    System.arraycopy(scores, row * stride, line, 0, count);
    if (inBytes) {
      ByteTiles.finish(line, count, starts[row], keyScales);
    }
    shares[row] = 1 / RowKernels.exponentiate(line, count);
    if (inBytes) {
      valueStarts[row] = -ByteRows.ZERO * scale(line, count);
    }
    int seen = lengths[first];
    System.arraycopy(line, seen, scores, row * stride + seen, count - seen);
  }

  /** Multiplies a row's weights by the scales of values, and sums them up. */
  private float scale(float[] line, int count) {
    float sum = 0;
    for (int p = 0; p < count; p++) {
      float weight = line[p] * valueScales[p];
      line[p] = weight;
      sum += weight;
    }
    return sum;
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
    int rows = queries.rows();
    int groups = groups();
    int last = lengths[(groups - 1) * PanelRows.GROUP];
    int block = PanelRows.places(rows) * COLUMNS;
    Arrays.fill(sums, 0, Math.ceilDiv(size, COLUMNS) * block, 0);
    for (int column = 0; column < size; column += COLUMNS) {
      int at = column / COLUMNS * block;
      for (int position = 0; position < last; position += POSITIONS) {
        int most = Math.min(POSITIONS, last - position);
        widen(store, store.value(plane, head, position), column, most);
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
  private void widen(VectorStore store, long offset, int column, int positions) {
    int end = Math.min(size, column + COLUMNS);
    if (store.type == DType.U8) {
      for (int i = column; i < end; i += Lanes.COUNT) {
        ByteTiles.widenColumns(store.data, offset, size, i, positions, widened, i - column);
      }
      return;
    }
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
    int block = PanelRows.places(queries.rows()) * COLUMNS;
    for (int i = 0; i < size; i++) {
      out[i] = sums[i / COLUMNS * block + row * COLUMNS + i % COLUMNS];
    }
    int seen = lengths[row - row % PanelRows.GROUP];
    int at = row * (lengths[queries.rows() - 1] + Lanes.COUNT);
    if (store.type == DType.U8) {
      long offset = store.value(plane, head, seen);
      ByteRows.addRest(
          store.data, offset, size, scores, at + seen, at + lengths[row], valueStarts[row], out);
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
