package dev.muninn.vector;

import dev.muninn.kernel.Lanes;
import dev.muninn.kernel.ScalarKernels;
import dev.muninn.model.WeightMatrix;
import dev.muninn.weights.DType;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/** The scalar twins of {@link MatrixKernels}: products of weight matrices in plain loops. */
final class ScalarMatrixKernels {
  private ScalarMatrixKernels() {}

  /**
   * The product of a weight row and a packed row, added up lane by lane as {@link MatrixKernels}
   * does: the same to the last bit.
   *
   * @param lanes at least {@link Lanes#COUNT} values to work in
   */
  static float dot(WeightMatrix matrix, int output, PackedRows x, int row, float[] lanes) {
    if (x.shift() > 0) {
      return dotDisplaced(matrix, output, x, row, lanes);
    }
    Arrays.fill(lanes, 0, Lanes.COUNT, 0);
    DType dtype = matrix.dtype();
    MemorySegment weights = matrix.data();
    long rowOffset = output * matrix.stride();
    int columns = matrix.columns();
    int tail = columns % Lanes.CHUNK;
    int chunked = columns - tail;
    long first = x.rowOffset(row);
    long step = x.rowStep(row);
    // Lane l has the two numbers of an int, or in F32 those at l and l + COUNT.
    int columnStep = dtype == DType.F32 ? 1 : 2;
    int otherColumn = dtype == DType.F32 ? Lanes.COUNT : 1;
    for (int chunk = 0; chunk < chunked; chunk += Lanes.CHUNK, first += 2 * step) {
      for (int lane = 0; lane < Lanes.COUNT; lane++) {
        int column = chunk + lane * columnStep;
        float sum =
            Math.fma(
                ScalarKernels.weight(dtype, weights, rowOffset, column),
                x.value(first + 4L * lane),
                lanes[lane]);
        lanes[lane] =
            Math.fma(
                ScalarKernels.weight(dtype, weights, rowOffset, column + otherColumn),
                x.value(first + step + 4L * lane),
                sum);
      }
    }
    for (int i = 0; i < tail; i++) {
      int lane = PackedRows.tailLane(i, x.paired());
      lanes[lane] =
          Math.fma(
              ScalarKernels.weight(dtype, weights, rowOffset, chunked + i),
              x.value(x.tailOffset(row) + 4L * i),
              lanes[lane]);
    }
    return product(lanes);
  }

  /** Column by column: each lane gets its own in ascending order, as it does elsewhere. */
  private static float dotDisplaced(
      WeightMatrix matrix, int output, PackedRows x, int row, float[] lanes) {
    Arrays.fill(lanes, 0, Lanes.COUNT, 0);
    long offset = output * matrix.stride();
    for (int column = 0; column < matrix.columns(); column++) {
      int place = column + x.shift();
      int lane = place % Lanes.CHUNK / 2;
      long vector = place / Lanes.CHUNK * 2L + place % 2;
      float value = x.value(x.rowOffset(row) + vector * x.rowStep(row) + 4L * lane);
      float weight = ScalarKernels.weight(matrix.dtype(), matrix.data(), offset, column);
      lanes[lane] = Math.fma(weight, value, lanes[lane]);
    }
    return product(lanes);
  }

  /** The sum of a product's lanes, where it is 0 never -0, as {@link Lanes#reduce} has it. */
  private static float product(float[] lanes) {
    return ScalarKernels.sum(lanes) + 0f;
  }

  /**
   * The outputs from {@code from} to {@code to} of {@link MatrixKernels#multiply}. Each is that of
   * {@link #dot}, but a weight row is read once for all rows, and these as a whole, as in {@link
   * #read}.
   */
  static void multiply(
      WeightMatrix matrix,
      int from,
      int to,
      PackedRows x,
      float[] y,
      int at,
      int stride,
      float[] lanes) {
    if (x.packing()) {
      PackingProducts.multiplyByScalars(matrix, from, to, x, y, at, stride, lanes);
      return;
    }
    if (matrix.format().inPanels()) {
      ScalarPanels.multiply(matrix, from, to, x, y, at, stride);
      return;
    }
    int columns = matrix.columns();
    int chunked = x.chunks() * Lanes.CHUNK;
    float[] weights = new float[Math.max(columns, chunked)];
    short[] halves = new short[matrix.dtype() == DType.F32 ? 0 : weights.length];
    float[] values = x.values();
    for (int o = from; o < to; o++) {
      long offset = o * matrix.stride();
      unpack(matrix.dtype(), matrix.data(), offset, columns, x.shift(), chunked, halves, weights);
      for (int row = 0; row < x.rows(); row++) {
        int first = (int) (x.rowOffset(row) / 4);
        int step = (int) (x.rowStep(row) / 4);
        int tailFrom = (int) (x.tailOffset(row) / 4);
        y[at + row * stride + o] =
            dot(weights, columns, chunked, values, first, step, tailFrom, x.paired(), lanes);
      }
    }
  }

  /**
   * The product of an unpacked weight row and a packed row.
   *
   * @param chunked columns that fill chunks
   * @param first where the packed row's first vector stands
   * @param step from one vector of it to the next
   * @param tailFrom where its other columns stand
   */
  private static float dot(
      float[] weights,
      int columns,
      int chunked,
      float[] x,
      int first,
      int step,
      int tailFrom,
      boolean paired,
      float[] lanes) {
    // Four lanes at once: it does not take C2 to keep their sums in registers.
    for (int lane = 0; lane < Lanes.COUNT; lane += 4) {
      float a = 0;
      float b = 0;
      float c = 0;
      float d = 0;
      int at = first + lane;
      for (int i = lane; i < chunked; i += Lanes.COUNT, at += step) {
        a = Math.fma(weights[i], x[at], a);
        b = Math.fma(weights[i + 1], x[at + 1], b);
        c = Math.fma(weights[i + 2], x[at + 2], c);
        d = Math.fma(weights[i + 3], x[at + 3], d);
      }
      lanes[lane] = a;
      lanes[lane + 1] = b;
      lanes[lane + 2] = c;
      lanes[lane + 3] = d;
    }
    for (int i = chunked; i < columns; i++) {
      int lane = PackedRows.tailLane(i - chunked, paired);
      lanes[lane] = Math.fma(weights[i], x[tailFrom + i - chunked], lanes[lane]);
    }
    return product(lanes);
  }

  /**
   * {@link PackedRows#pack}. It stands here because what packs by vectors is compiled at once: this
   * would take C2 longer than a short answer.
   */
  static void pack(PackedRows rows, int row, float[] source, int from) {
    if (rows.packInPanels(row, source, from)) {
      return;
    }
    int whole = rows.columns() - rows.columns() % Lanes.CHUNK;
    float[] chunks = new float[rows.chunks() * Lanes.CHUNK];
    System.arraycopy(source, from, chunks, rows.shift(), whole);
    if (rows.paired()) {
      chunks = separatePairs(chunks);
    }
    long target = rows.rowOffset(row);
    long step = rows.rowStep(row);
    for (int i = 0; i < chunks.length; i += Lanes.COUNT, target += step) {
      rows.put(chunks, i, target, Lanes.COUNT);
    }
    rows.packTail(row, source, from + whole);
  }

  /** Of each chunk first the even columns, then the odd ones. */
  private static float[] separatePairs(float[] columns) {
    float[] separated = new float[columns.length];
    for (int chunk = 0; chunk < columns.length; chunk += Lanes.CHUNK) {
      for (int lane = 0; lane < Lanes.COUNT; lane++) {
        separated[chunk + lane] = columns[chunk + 2 * lane];
        separated[chunk + Lanes.COUNT + lane] = columns[chunk + 2 * lane + 1];
      }
    }
    return separated;
  }

  /**
   * Reads a weight row. As a whole: before any of this is compiled, to read a number in native
   * memory is twenty calls.
   *
   * @param halves room for the row, where it is of 16-bit weights
   * @param out gets it at [at, at + columns)
   */
  static void read(WeightMatrix matrix, int row, short[] halves, float[] out, int at) {
    int columns = matrix.columns();
    if (matrix.format().inPanels()) {
      for (int i = 0; i < columns; i++) {
        out[at + i] = matrix.get(row, i);
      }
      return;
    }
    long offset = row * matrix.stride();
    if (matrix.dtype() == DType.F32) {
      MemorySegment.copy(matrix.data(), ScalarKernels.FLOAT, offset, out, at, columns);
      return;
    }
    MemorySegment.copy(matrix.data(), ScalarKernels.SHORT, offset, halves, 0, columns);
    boolean bf16 = matrix.dtype() == DType.BF16;
    for (int i = 0; i < columns; i++) {
      out[at + i] = widen(bf16, halves[i]);
    }
  }

  /**
   * Reads a weight row in the order of the lanes that a packed row has, displaced as it is.
   *
   * @param chunked columns that fill chunks, with the zeros beside displaced ones
   * @param halves room for them, where weights have 16 bits; zeros but for where they are read to
   */
  private static void unpack(
      DType dtype,
      MemorySegment data,
      long offset,
      int columns,
      int shift,
      int chunked,
      short[] halves,
      float[] weights) {
    if (dtype == DType.F32) {
      MemorySegment.copy(data, ScalarKernels.FLOAT, offset, weights, 0, columns);
      return;
    }
    MemorySegment.copy(data, ScalarKernels.SHORT, offset, halves, shift, columns);
    boolean bf16 = dtype == DType.BF16;
    for (int chunk = 0; chunk < chunked; chunk += Lanes.CHUNK) {
      for (int lane = 0; lane < Lanes.COUNT; lane++) {
        short even = halves[chunk + 2 * lane];
        short odd = halves[chunk + 2 * lane + 1];
        weights[chunk + lane] = widen(bf16, even);
        weights[chunk + Lanes.COUNT + lane] = widen(bf16, odd);
      }
    }
    for (int i = chunked; i < columns; i++) {
      weights[i] = widen(bf16, halves[i]);
    }
  }

  private static float widen(boolean bf16, short half) {
    return bf16 ? Float.intBitsToFloat(half << 16) : Float.float16ToFloat(half);
  }

  /** {@link MatrixKernels#dot16}. */
  static void dot16(
      DType dtype,
      MemorySegment weights,
      long offset,
      long rowStride,
      long streamBytes,
      int columns,
      MemorySegment x,
      boolean paired,
      float[] lanes,
      float[] products) {
    int chunked = columns - columns % Lanes.CHUNK;
    float[] values = new float[columns];
    float[] row = new float[columns];
    short[] halves = new short[dtype == DType.F32 ? 0 : columns];
    MemorySegment.copy(x, ScalarKernels.FLOAT, 0, values, 0, columns);
    for (int product = 0; product < MatrixKernels.UNIT; product++) {
      long from = offset + product % 4 * rowStride + product / 4 * streamBytes;
      unpack(dtype, weights, from, columns, 0, chunked, halves, row);
      products[product] =
          dot(row, columns, chunked, values, 0, Lanes.COUNT, chunked, paired, lanes);
    }
  }
}
