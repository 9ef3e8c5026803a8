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
    if (store.type == DType.U8) {
      if (WarmUp.lacksStore(store.type)) {
        ByteRows.scoresByScalars(
            store.data, offset, streamBytes, size, query, scratch.lanes, scratch.partials);
      } else {
        ByteRows.scores(store.data, offset, streamBytes, size, query, scratch.partials);
      }
      return;
    }
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

  /**
   * Whether {@link AttentionTiles} compute so many rows. Columns of BF16 or of bytes that fill no
   * chunk would be added up in another order.
   */
  static boolean hasAttentionTiles(VectorStore store, int size, int rows) {
    return rows >= PackingProducts.LEAST_ROWS
        && size % attentionChunk(store.type) == 0
        && !WarmUp.lacksPacking()
        && !(AttentionTiles.isWide(store, size, rows) && WarmUp.lacksWide(rows, size))
        && !WarmUp.lacksRows()
        && !WarmUp.lacksStore(store.type);
  }

  private static int attentionChunk(DType type) {
    return switch (type) {
      case BF16 -> Lanes.CHUNK;
      case U8 -> ByteRows.CHUNK;
      default -> 1;
    };
  }

  /** Prepares a query for {@link #scores}. */
  static void packQuery(VectorStore store, float[] query, int size, MemorySegment packed) {
    if (store.type == DType.U8) {
      ByteRows.packQuery(query, size, packed);
    } else {
      MemorySegment.copy(query, 0, packed, ScalarKernels.FLOAT, 0, size);
    }
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

  /** {@link RowKernels#store}. */
  static void store(VectorStore store, float[] x, int from, long offset, int size) {
    if (store.type == DType.U8) {
      ByteRows.store(x, from, store.data, offset, size);
    } else if (WarmUp.lacksStore(store.type)) {
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
   * {@link WeightedSums#add}.
   *
   * @param sums room for {@link ByteRows#sums}
   */
  static void addWeighted(
      VectorStore store,
      long offset,
      int size,
      float[] weights,
      int from,
      int to,
      float[] sums,
      float[] out) {
    if (store.type == DType.U8) {
      if (WarmUp.lacksStore(store.type)) {
        ByteRows.addWeightedByScalars(store.data, offset, size, weights, from, to, sums, out);
      } else {
        ByteRows.addWeighted(store.data, offset, size, weights, from, to, sums, out);
      }
    } else if (WarmUp.lacksStore(store.type)) {
      ScalarKernels.addWeighted(store.type, store.data, offset, size, 0, weights, from, to, out);
    } else {
      WeightedSums.add(store.type, store.data, offset, size, weights, from, to, out);
    }
  }
}
