package dev.muninn.vector;

import static java.nio.ByteOrder.LITTLE_ENDIAN;

import dev.muninn.kernel.Lanes;
import dev.muninn.kernel.RowKernels;
import dev.muninn.kernel.ScalarKernels;
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
  static final int MOST_ROWS = 128;

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

  AttentionTiles(int size) {
    this.size = size;
    this.queries = new PackedRows(MOST_ROWS, size);
    this.query = new float[size];
    this.sums = new float[Math.ceilDiv(size, COLUMNS) * MOST_ROWS * COLUMNS];
  }

  /**
   * Whether so many rows may be computed here. Columns of BF16 that fill no chunk would be added up
   * in another order.
   */
  static boolean pays(VectorStore store, int size, int rows) {
    return rows >= PackingProducts.LEAST_ROWS
        && (store.type == DType.F32 || store.type == DType.BF16 && size % Lanes.CHUNK == 0)
        && !WarmUp.lacksPacking()
        && !WarmUp.lacksRows()
        && !WarmUp.lacksStore(store.type);
  }

  /** Begins with some number of rows. */
  void begin(VectorStore store, int rows) {
    queries.shape(rows, size, format(store));
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
    for (int i = 0; i < size; i++) {
      query[store.type == DType.BF16 ? ScalarKernels.shuffled(i, size) : i] = values[i];
    }
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
    long first = store.key(plane, head, 0);
    long bytes = (length - 1L) * store.rowBytes() + format(store).bytes(size);
    WeightMatrix keys =
        new WeightMatrix(
            format(store), length, size, store.rowBytes(), store.data.asSlice(first, bytes));
    PackingProducts.multiply(keys, 0, length, queries, scores, 0, stride, own.product);
    for (int row = 0; row < rows; row++) {
      exponentiate(row, stride, own);
    }
    mix(store, plane, head, stride);
  }

  /** Makes a row's scores weights, and packs those of the positions that its whole group sees. */
  private void exponentiate(int row, int stride, ThreadScratch own) {
    int count = lengths[row];
    float[] values = own.scores(count);
    System.arraycopy(scores, row * stride, values, 0, count);
    shares[row] = 1 / RowKernels.exponentiate(values, count);
    System.arraycopy(values, 0, scores, row * stride, count);
    int seen = lengths[row - row % PanelRows.GROUP];
    int to = row / PanelRows.GROUP * PanelRows.GROUP * stride + row % PanelRows.GROUP;
    for (int p = 0; p < seen; p++, to += PanelRows.GROUP) {
      weights[to] = values[p];
    }
  }

  private void mix(VectorStore store, int plane, int head, int stride) {
    int rows = queries.rows();
    int groups = queries.panels().groups();
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
    if (seen < lengths[row]) {
      // Positions that not all of the group see.
      int at = row * (lengths[queries.rows() - 1] + Lanes.COUNT);
      RowKernels.addWeighted(
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
