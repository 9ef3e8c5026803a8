package dev.muninn.vector;

import dev.muninn.kernel.Lanes;
import dev.muninn.kernel.RotaryTable;
import dev.muninn.kernel.RowKernels;
import dev.muninn.kernel.ScalarKernels;
import dev.muninn.kernel.WeightedSums;
import dev.muninn.model.WeightMatrix;
import dev.muninn.weights.DType;
import java.lang.foreign.MemorySegment;

/**
 * Each kernel by vectors, or while those are being compiled by its scalar twin. Both give the same
 * bits, so it does not show when one takes over from the other.
 *
 * <p>Classes of kernels are compiled at once, and their callers wait for it. What is asked to
 * choose among them stands elsewhere.
 */
final class Kernels {
  private Kernels() {}

  /** {@link MatrixKernels#multiply}. */
  static void multiply(
      WeightMatrix matrix,
      int from,
      int to,
      PackedRows x,
      float[] y,
      int at,
      int stride,
      MatrixKernels.Scratch scratch) {
    if (WarmUp.lacksKernels(matrix.format(), x)) {
      ScalarMatrixKernels.multiply(matrix, from, to, x, y, at, stride, scratch.lanes);
    } else {
      MatrixKernels.multiply(matrix, from, to, x, y, at, stride, scratch);
    }
  }

  /**
   * {@link MatrixKernels#dot16} of 4 keys in each of 4 streams; the scratch's partials get it.
   *
   * @param offset of the first key
   * @param apart positions from one stream to the next
   */
  static void scores(
      VectorStore store,
      long offset,
      int apart,
      int size,
      MemorySegment query,
      MatrixKernels.Scratch scratch) {
    long rowBytes = store.rowBytes();
    long streamBytes = apart * rowBytes;
    if (WarmUp.lacksStore(store.type)) {
      ScalarMatrixKernels.dot16(
          store.type,
          store.data,
          offset,
          rowBytes,
          streamBytes,
          size,
          query,
          false,
          scratch.lanes,
          scratch.partials);
    } else {
      MatrixKernels.dot16(
          store.type,
          store.data,
          offset,
          rowBytes,
          streamBytes,
          size,
          query,
          false,
          scratch.partials);
    }
  }

  /** {@link ByteKeys#scores}. */
  static void byteScores(
      VectorStore store, long head, int position, int apart, float[] query, float[] scores) {
    if (WarmUp.lacksStore(store.type)) {
      ByteKeys.scoresByScalars(store.data, head, store.rows(), position, apart, query, scores);
    } else {
      ByteKeys.scores(store.data, head, store.rows(), position, apart, query, scores);
    }
  }

  /**
   * Whether {@link AttentionTiles} compute so many rows. Columns of BF16 that fill no chunk would
   * be added up in another order.
   */
  static boolean hasAttentionTiles(VectorStore store, int size, int rows) {
    return rows >= PackingProducts.LEAST_ROWS
        && (store.type != DType.BF16 || size % Lanes.CHUNK == 0)
        && !WarmUp.lacksPacking()
        && !(AttentionTiles.isWide(store, size, rows) && WarmUp.lacksWide(rows, size))
        && !WarmUp.lacksRows()
        && !WarmUp.lacksStore(store.type);
  }

  /** {@link PackedRows#pack}. */
  static void pack(PackedRows rows, int row, float[] source, int from) {
    if (WarmUp.lacksRows()) {
      ScalarMatrixKernels.pack(rows, row, source, from);
    } else {
      rows.pack(row, source, from);
    }
  }

  /** {@link RowKernels#add}. */
  static void add(float[] x, int xFrom, float[] y, int yFrom, int size) {
    if (WarmUp.lacksRows()) {
      ScalarKernels.add(x, xFrom, y, yFrom, size);
    } else {
      RowKernels.add(x, xFrom, y, yFrom, size);
    }
  }

  /** {@link RowKernels#norm}. */
  static void norm(
      float[] x,
      int from,
      float[] weight,
      float epsilon,
      float[] out,
      int to,
      int size,
      MatrixKernels.Scratch scratch) {
    if (WarmUp.lacksRows()) {
      ScalarKernels.norm(x, from, weight, epsilon, out, to, size, scratch.lanes);
    } else {
      RowKernels.norm(x, from, weight, epsilon, out, to, size);
    }
  }

  /** {@link RowKernels#gate}. */
  static void gate(
      float[] gate, int gateFrom, float[] up, int upFrom, float[] hidden, int to, int size) {
    if (WarmUp.lacksRows()) {
      ScalarKernels.gate(gate, gateFrom, up, upFrom, hidden, to, size);
    } else {
      RowKernels.gate(gate, gateFrom, up, upFrom, hidden, to, size);
    }
  }

  /** {@link RowKernels#rotate}. */
  static void rotate(
      float[] x,
      int from,
      float[] bias,
      int biasFrom,
      RotaryTable table,
      int position,
      float[] out,
      int size) {
    int at = table.offset(position);
    if (WarmUp.lacksRows()) {
      ScalarKernels.rotate(x, from, bias, biasFrom, table.cosines(), table.sines(), at, out, size);
    } else {
      RowKernels.rotate(x, from, bias, biasFrom, table.cosines(), table.sines(), at, out, size);
    }
  }

  /** {@link RowKernels#rotateHalves}, by a table of halves. */
  static void rotateHalves(
      float[] x,
      int from,
      float[] bias,
      int biasFrom,
      RotaryTable table,
      int position,
      float[] out,
      int size) {
    int at = table.offset(position);
    if (WarmUp.lacksRows()) {
      ScalarKernels.rotateHalves(
          x, from, bias, biasFrom, table.cosines(), table.sines(), at, out, size);
    } else {
      RowKernels.rotateHalves(
          x, from, bias, biasFrom, table.cosines(), table.sines(), at, out, size);
    }
  }

  /** Stores the key of a position. */
  static void storeKey(
      VectorStore store, int plane, int head, int position, float[] x, int from, int size) {
    if (store.type == DType.U8) {
      long first = store.key(plane, head, 0);
      ByteBlocks.storeKey(x, from, size, store.data, first, store.rows(), position);
    } else {
      store(store, x, from, store.key(plane, head, position), size);
    }
  }

  /** Stores the value of a position. */
  static void storeValue(
      VectorStore store, int plane, int head, int position, float[] x, int from, int size) {
    if (store.type == DType.U8) {
      long first = store.value(plane, head, 0);
      ByteBlocks.storeValue(x, from, size, store.data, first, store.rows(), position);
    } else {
      store(store, x, from, store.value(plane, head, position), size);
    }
  }

  /** {@link RowKernels#store}. */
  private static void store(VectorStore store, float[] x, int from, long offset, int size) {
    if (WarmUp.lacksStore(store.type)) {
      ScalarKernels.store(store.type, x, from, store.data, offset, size);
    } else {
      RowKernels.store(store.type, x, from, store.data, offset, size);
    }
  }

  /** {@link RowKernels#exponentiate}. */
  static float exponentiate(float[] scores, int count, MatrixKernels.Scratch scratch) {
    return WarmUp.lacksRows()
        ? ScalarKernels.exponentiate(scores, count, scratch.lanes)
        : RowKernels.exponentiate(scores, count);
  }

  /**
   * The sum of the values of some positions, each times its weight.
   *
   * @param out to which it is added
   */
  static void addWeighted(
      VectorStore store,
      int plane,
      int head,
      float[] weights,
      int from,
      int to,
      ByteValues.Scratch scratch,
      float[] out) {
    if (store.type == DType.U8) {
      long first = store.value(plane, head, 0);
      int rows = store.rows();
      if (WarmUp.lacksStore(store.type)) {
        ByteValues.addByScalars(store.data, first, rows, weights, from, to, scratch, out);
      } else {
        ByteValues.add(store.data, first, rows, weights, from, to, scratch, out);
      }
      return;
    }
    int size = out.length;
    long offset = store.value(plane, head, from);
    if (WarmUp.lacksStore(store.type)) {
      ScalarKernels.addWeighted(store.type, store.data, offset, size, 0, weights, from, to, out);
    } else {
      WeightedSums.add(store.type, store.data, offset, size, weights, from, to, out);
    }
  }
}
