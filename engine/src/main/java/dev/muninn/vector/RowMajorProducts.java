package dev.muninn.vector;

import dev.muninn.kernel.Lanes;
import dev.muninn.kernel.ScalarKernels;
import dev.muninn.model.WeightMatrix;
import dev.muninn.weights.DType;
import java.lang.foreign.MemorySegment;

/**
 * Products of weights that lie row by row.
 *
 * <p>One row is computed 4 weight rows at a time, which is bound by how fast memory is read; more
 * rows in tiles of 4 by 4, or of halves of them, which is bound by the multipliers. The 4 weight
 * rows lie a quarter of the outputs apart, so that memory is read in 4 long streams: rows that
 * share a page confuse the hardware's prefetching and halve the speed.
 *
 * <p>A format has a subclass, with bodies that are written out lane operation by lane operation: a
 * helper that takes or returns a vector is not always inlined into a body of this size, and then
 * every vector is boxed.
 *
 * <p>Each body begins by reading one byte of its weights. The value is not used: HotSpot turns a
 * fault of the machine (SIGBUS, after the mapped file has shrunk) into an {@link InternalError}
 * only in compiled methods that read a segment by {@code get}. Vector loads alone end the process.
 */
abstract class RowMajorProducts extends Products {
  /** Weight rows that are read side by side. */
  static final int STREAMS = 4;

  /**
   * Rows, of each stream, of a strip of weights that stays in the second-level cache while all
   * columns pass by.
   */
  private static final int STRIP = 12;

  /** Rows, of each stream, whose products with a pair go to their places together. */
  private static final int PAIR_STRIP = 8;

  /** Products of a pair with a row of each stream. */
  private static final int PAIR_SUMS = PackedRows.TILE * STREAMS;

  /** What the bodies read: F32 or BF16. */
  private final DType read;

  /**
   * Bytes from one step of {@link #pair} to the next. Not a constant: where C2 knows it, the reads
   * of weights are checked before the loop, and C2 begins a step by all of them, which takes more
   * registers than there are.
   */
  final long stepBytes;

  RowMajorProducts(DType read) {
    this.read = read;
    this.stepBytes = read == DType.F32 ? 2 * Lanes.BYTES : Lanes.BYTES;
  }

  /** The products of weights of a type. */
  static RowMajorProducts of(DType dtype) {
    return switch (dtype) {
      case F32 -> F32Products.INSTANCE;
      case BF16 -> Bf16Products.INSTANCE;
      case F16 -> F16Products.INSTANCE;
      default -> throw new IllegalArgumentException("no kernel for " + dtype);
    };
  }

  /** Rows of each stream that one {@link #load} is enough for. */
  int stripRows() {
    return STRIP;
  }

  /**
   * Says in the scratch where the bodies read some weight rows of each stream.
   *
   * @param first the first row of the first stream
   * @param streamBytes bytes from one stream of the matrix to the next
   */
  void load(WeightMatrix matrix, int first, long streamBytes, MatrixKernels.Scratch scratch) {
    scratch.weights = matrix.data();
    scratch.offset = first * matrix.stride();
    scratch.rowStep = matrix.stride();
    scratch.streamStep = streamBytes;
  }

  /**
   * The partial sums of the products of a row of each stream with one packed row, in whole chunks.
   *
   * @param offset byte offset of the first weight row
   * @param stride bytes from one weight row to the next
   * @param steps chunks of a row
   * @param x the packed row, from byte offset {@code from}
   * @param out gets the vector of stream j at {@code to + 4 j} vectors
   */
  abstract void rows4(
      MemorySegment weights,
      long offset,
      long stride,
      int steps,
      MemorySegment x,
      long from,
      float[] out,
      int to);

  /**
   * The partial sums of a tile, a row of each stream with the 4 rows of a group, in whole chunks.
   * Or where there are as many lanes as sums and nothing is left over, the sums themselves: {@link
   * Lanes#reduce} in registers, which costs next to nothing.
   *
   * @param whole whether the sums themselves are wanted
   * @param out gets the vector of column c and stream j at 4 c + j vectors, or their sum at {@code
   *     to + 4 c + j}
   */
  abstract void tile(
      MemorySegment weights,
      long offset,
      long stride,
      int steps,
      MemorySegment x,
      long from,
      boolean whole,
      float[] out,
      int to);

  /**
   * The partial sums of a row of each of 4 streams with a pair of rows, in whole chunks, or the
   * sums themselves; on vectors of 8 lanes.
   *
   * @param x packed rows, the pair from {@code from}
   * @param whole whether the sums themselves are wanted
   * @param out gets the vector of column c and stream j at {@code 4 c + j} vectors, or their sum at
   *     {@code to + 4 c + j}
   */
  abstract void pair(
      MemorySegment weights,
      long offset,
      long stride,
      int steps,
      float[] x,
      int from,
      boolean whole,
      float[] out,
      int to);

  @Override
  void multiply(
      WeightMatrix matrix,
      int from,
      int to,
      PackedRows x,
      float[] y,
      int at,
      int stride,
      MatrixKernels.Scratch scratch) {
    if (x.rows() == 1) {
      multiplyRow(matrix, from, to, x, y, at, scratch);
    } else if (PackedRows.PAIRS) {
      multiplyPairs(matrix, from, to, x, y, at, stride, scratch);
    } else {
      multiplyTiles(matrix, from, to, x, y, at, stride, scratch);
    }
  }

  private void multiplyRow(
      WeightMatrix matrix,
      int from,
      int to,
      PackedRows x,
      float[] y,
      int at,
      MatrixKernels.Scratch scratch) {
    int quarter = quarter(from, to);
    long streamBytes = quarter * matrix.stride();
    for (int o = 0; o < quarter; o += 4) {
      load(matrix, from + o, streamBytes, scratch);
      dot16(
          scratch.weights,
          scratch.offset,
          scratch.rowStep,
          scratch.streamStep,
          matrix.columns(),
          x.data,
          x.paired(),
          scratch.partials);
      for (int stream = 0; stream < STREAMS; stream++) {
        System.arraycopy(scratch.partials, 4 * stream, y, at + from + o + stream * quarter, 4);
      }
    }
    multiplyByScalars(matrix, from + STREAMS * quarter, to, x, y, at, 0, scratch);
  }

  /** Rows of each of the four streams that a range of outputs is read in. */
  private static int quarter(int from, int to) {
    return (to - from) / MatrixKernels.UNIT * 4;
  }

  /** {@link MatrixKernels#dot16}. */
  final void dot16(
      MemorySegment weights,
      long offset,
      long rowStride,
      long streamBytes,
      int columns,
      MemorySegment x,
      boolean paired,
      float[] partials) {
    int steps = columns / Lanes.CHUNK;
    for (int i = 0; i < 4; i++) {
      rows4(weights, offset + i * rowStride, streamBytes, steps, x, 0, partials, i * Lanes.COUNT);
    }
    int tail = columns % Lanes.CHUNK;
    if (tail > 0) {
      int first = columns - tail;
      for (int sum = 0; sum < MatrixKernels.UNIT; sum++) {
        long row = offset + sum % 4 * rowStride + sum / 4 * streamBytes;
        for (int i = 0; i < tail; i++) {
          int lane = sum * Lanes.COUNT + PackedRows.tailLane(i, paired);
          float value = ScalarKernels.f32(x, 4L * (first + i));
          partials[lane] = addProduct(weights, row, first + i, value, partials[lane]);
        }
      }
    }
    Lanes.reduce(partials);
  }

  private void multiplyTiles(
      WeightMatrix matrix,
      int from,
      int to,
      PackedRows x,
      float[] y,
      int at,
      int stride,
      MatrixKernels.Scratch scratch) {
    int rows = x.rows();
    int columns = matrix.columns();
    int quarter = quarter(from, to);
    long streamBytes = quarter * matrix.stride();
    int height = stripRows();
    for (int strip = 0; strip < quarter; strip += height) {
      int end = Math.min(quarter, strip + height);
      load(matrix, from + strip, streamBytes, scratch);
      for (int group = 0; group < x.groups(); group++) {
        for (int o = 0; o < end - strip; o++) {
          tile(
              scratch.weights,
              scratch.offset + o * scratch.rowStep,
              scratch.streamStep,
              columns,
              x,
              group,
              scratch);
          int first = PackedRows.TILE * group;
          int count = Math.min(PackedRows.TILE, rows - first);
          scatter(
              scratch.results, count, y, at + first * stride + from + strip + o, stride, quarter);
        }
      }
    }
    multiplyByScalars(matrix, from + STREAMS * quarter, to, x, y, at, stride, scratch);
  }

  private void multiplyPairs(
      WeightMatrix matrix,
      int from,
      int to,
      PackedRows x,
      float[] y,
      int at,
      int stride,
      MatrixKernels.Scratch scratch) {
    int quarter = quarter(from, to);
    long streamBytes = quarter * matrix.stride();
    int height = Math.min(PAIR_STRIP, stripRows());
    float[] results = scratch.sums(PackedRows.TILE * x.groups());
    for (int strip = 0; strip < quarter; strip += height) {
      int count = Math.min(height, quarter - strip);
      load(matrix, from + strip, streamBytes, scratch);
      for (int o = 0; o < count; o++) {
        for (int pair = 0; pair < x.groups(); pair++) {
          int result = PAIR_SUMS * (PAIR_STRIP * pair + o);
          pair(scratch, o, matrix.columns(), x, pair, results, result);
        }
      }
      for (int row = 0; row < x.rows(); row++) {
        int first = PAIR_SUMS * PAIR_STRIP * (row / PackedRows.TILE);
        scatter(
            results,
            first + row % PackedRows.TILE * STREAMS,
            count,
            y,
            at + row * stride + from + strip,
            quarter);
      }
    }
    multiplyByScalars(matrix, from + STREAMS * quarter, to, x, y, at, stride, scratch);
  }

  /**
   * The products of a row of each of 4 streams with a pair.
   *
   * @param o which of the rows that the scratch says
   * @param results get [column * 4 + stream] from {@code to}
   */
  private void pair(
      MatrixKernels.Scratch scratch,
      int o,
      int columns,
      PackedRows x,
      int pair,
      float[] results,
      int to) {
    int steps = columns / Lanes.CHUNK;
    int tail = columns % Lanes.CHUNK;
    int first = (int) (x.groupOffset(pair) / Float.BYTES);
    MemorySegment weights = scratch.weights;
    long offset = scratch.offset + o * scratch.rowStep;
    long streamBytes = scratch.streamStep;
    if (tail == 0) {
      pair(weights, offset, streamBytes, steps, x.pairs(), first, true, results, to);
      return;
    }
    float[] partials = scratch.partials;
    pair(weights, offset, streamBytes, steps, x.pairs(), first, false, partials, 0);
    addTails(weights, offset, streamBytes, x, PackedRows.TILE * pair, partials);
    Lanes.reduce(partials);
    System.arraycopy(partials, 0, results, to, PAIR_SUMS);
  }

  /** Puts the results of a row with a strip where they belong. */
  private static void scatter(
      float[] results, int from, int count, float[] y, int target, int quarter) {
    for (int stream = 0; stream < STREAMS; stream++) {
      int to = target + stream * quarter;
      for (int o = 0; o < count; o++) {
        y[to + o] = results[from + stream + PAIR_SUMS * o];
      }
    }
  }

  /** Puts the results of a tile where they belong, for each of some rows those of 4 streams. */
  private static void scatter(
      float[] results, int rows, float[] y, int target, int stride, int quarter) {
    int to = target;
    for (int i = 0; i < 4 * rows; i += 4, to += stride) {
      y[to] = results[i];
      y[to + quarter] = results[i + 1];
      y[to + 2 * quarter] = results[i + 2];
      y[to + 3 * quarter] = results[i + 3];
    }
  }

  /**
   * Outputs too few for a tile. {@link ScalarMatrixKernels#multiply} computes the same, but
   * allocates what it works in, as a decode step must not.
   */
  static void multiplyByScalars(
      WeightMatrix matrix,
      int from,
      int to,
      PackedRows x,
      float[] y,
      int at,
      int stride,
      MatrixKernels.Scratch scratch) {
    for (int o = from; o < to; o++) {
      for (int row = 0; row < x.rows(); row++) {
        y[at + row * stride + o] = ScalarMatrixKernels.dot(matrix, o, x, row, scratch.partials);
      }
    }
  }

  /**
   * The products of a row of each of 4 streams with the 4 rows of a group.
   *
   * @param scratch gets [column * 4 + stream] in its results
   */
  final void tile(
      MemorySegment weights,
      long offset,
      long streamBytes,
      int columns,
      PackedRows x,
      int group,
      MatrixKernels.Scratch scratch) {
    int steps = columns / Lanes.CHUNK;
    int tail = columns % Lanes.CHUNK;
    long first = x.groupOffset(group);
    float[] partials = scratch.partials;
    if (Lanes.foldInRegisters(columns)) {
      tile(weights, offset, streamBytes, steps, x.data, first, true, scratch.results, 0);
      return;
    }
    tile(weights, offset, streamBytes, steps, x.data, first, false, partials, 0);
    if (tail > 0) {
      addTails(weights, offset, streamBytes, x, PackedRows.TILE * group, partials);
    }
    Lanes.reduce(partials);
    System.arraycopy(partials, 0, scratch.results, 0, MatrixKernels.UNIT);
  }

  /** The columns that fill no chunk, of a row of each stream and the rows of a group. */
  private void addTails(
      MemorySegment weights,
      long offset,
      long streamBytes,
      PackedRows x,
      int firstRow,
      float[] partials) {
    for (int sum = 0; sum < PackedRows.TILE * STREAMS; sum++) {
      long row = offset + sum % STREAMS * streamBytes;
      addTail(weights, row, x, firstRow + sum / STREAMS, partials, sum);
    }
  }

  /**
   * Adds the columns that fill no chunk to the lanes they would have had in one.
   *
   * @param offset byte offset of the weight row
   * @param sum which of the partial sums is that of the weight row and the packed row
   */
  private void addTail(
      MemorySegment weights, long offset, PackedRows x, int row, float[] partials, int sum) {
    int tail = x.columns() % Lanes.CHUNK;
    int first = x.columns() - tail;
    long from = x.tailOffset(row);
    for (int i = 0; i < tail; i++) {
      int lane = sum * Lanes.COUNT + PackedRows.tailLane(i, x.paired());
      float value = x.value(from + 4L * i);
      partials[lane] = addProduct(weights, offset, first + i, value, partials[lane]);
    }
  }

  private float addProduct(
      MemorySegment weights, long rowOffset, int column, float value, float sum) {
    return Math.fma(ScalarKernels.weight(read, weights, rowOffset, column), value, sum);
  }
}
