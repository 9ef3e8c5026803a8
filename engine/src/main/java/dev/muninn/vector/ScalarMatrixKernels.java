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
    return dot(
        matrix.dtype(),
        matrix.data(),
        output * matrix.stride(),
        matrix.columns(),
        x.data,
        x.rowOffset(row),
        x.rowStep(row),
        x.tailOffset(row),
        x.paired(),
        lanes);
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
      float value =
          ScalarKernels.f32(x.data, x.rowOffset(row) + vector * x.rowStep(row) + 4L * lane);
      float weight = ScalarKernels.weight(matrix.dtype(), matrix.data(), offset, column);
      lanes[lane] = Math.fma(weight, value, lanes[lane]);
    }
    return product(lanes);
  }

  /**
   * The product of a weight row and a packed row.
   *
   * @param rowOffset byte offset of the weight row
   * @param from byte offset of the packed row's first vector
   * @param step bytes from one vector of the packed row to the next
   * @param tailFrom byte offset of the columns that fill no chunk
   */
  static float dot(
      DType dtype,
      MemorySegment weights,
      long rowOffset,
      int columns,
      MemorySegment x,
      long from,
      long step,
      long tailFrom,
      boolean paired,
      float[] lanes) {
    Arrays.fill(lanes, 0, Lanes.COUNT, 0);
    int tail = columns % Lanes.CHUNK;
    int chunked = columns - tail;
    long first = from;
    // Lane l has the two numbers of an int, or in F32 those at l and l + COUNT.
    int columnStep = dtype == DType.F32 ? 1 : 2;
    int otherColumn = dtype == DType.F32 ? Lanes.COUNT : 1;
    for (int chunk = 0; chunk < chunked; chunk += Lanes.CHUNK, first += 2 * step) {
      for (int lane = 0; lane < Lanes.COUNT; lane++) {
        int column = chunk + lane * columnStep;
        float sum =
            Math.fma(
                ScalarKernels.weight(dtype, weights, rowOffset, column),
                ScalarKernels.f32(x, first + 4L * lane),
                lanes[lane]);
        lanes[lane] =
            Math.fma(
                ScalarKernels.weight(dtype, weights, rowOffset, column + otherColumn),
                ScalarKernels.f32(x, first + step + 4L * lane),
                sum);
      }
    }
    for (int i = 0; i < tail; i++) {
      int lane = PackedRows.tailLane(i, paired);
      lanes[lane] =
          Math.fma(
              ScalarKernels.weight(dtype, weights, rowOffset, chunked + i),
              ScalarKernels.f32(x, tailFrom + 4L * i),
              lanes[lane]);
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
    short[] halves = new short[matrix.dtype() == DType.F32 ? 0 : columns];
    float[] values = x.values();
    for (int o = from; o < to; o++) {
      unpack(matrix, o, x.shift(), halves, weights);
      for (int row = 0; row < x.rows(); row++) {
        Arrays.fill(lanes, 0, Lanes.COUNT, 0);
        int first = (int) (x.rowOffset(row) / 4);
        int step = (int) (x.rowStep(row) / 4);
        for (int i = 0; i < chunked; i += Lanes.COUNT, first += step) {
          addProducts(weights, i, values, first, lanes);
        }
        int tailFrom = (int) (x.tailOffset(row) / 4);
        for (int i = chunked; i < columns; i++) {
          int lane = PackedRows.tailLane(i - chunked, x.paired());
          lanes[lane] = Math.fma(weights[i], values[tailFrom + i - chunked], lanes[lane]);
        }
        y[at + row * stride + o] = product(lanes);
      }
    }
  }

  private static void addProducts(float[] weights, int at, float[] x, int from, float[] lanes) {
    for (int lane = 0; lane < Lanes.COUNT; lane++) {
      lanes[lane] = Math.fma(weights[at + lane], x[from + lane], lanes[lane]);
    }
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
      out[at + i] = bf16 ? Float.intBitsToFloat(halves[i] << 16) : Float.float16ToFloat(halves[i]);
    }
  }

  /** Reads a weight row in the order of the lanes that a packed row has, displaced as it is. */
  private static void unpack(
      WeightMatrix matrix, int output, int shift, short[] halves, float[] weights) {
    int columns = matrix.columns();
    long offset = output * matrix.stride();
    DType dtype = matrix.dtype();
    if (dtype == DType.F32) {
      MemorySegment.copy(matrix.data(), ScalarKernels.FLOAT, offset, weights, 0, columns);
      return;
    }
    MemorySegment.copy(matrix.data(), ScalarKernels.SHORT, offset, halves, 0, columns);
    int chunked = columns - columns % Lanes.CHUNK;
    boolean bf16 = dtype == DType.BF16;
    for (int i = 0; i < columns; i++) {
      float weight = bf16 ? Float.intBitsToFloat(halves[i] << 16) : Float.float16ToFloat(halves[i]);
      int place = i + shift;
      int lane = place % Lanes.CHUNK / 2 + place % 2 * Lanes.COUNT;
      weights[i < chunked ? place - place % Lanes.CHUNK + lane : i] = weight;
    }
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
    for (int product = 0; product < MatrixKernels.UNIT; product++) {
      long row = offset + product % 4 * rowStride + product / 4 * streamBytes;
      products[product] =
          dot(dtype, weights, row, columns, x, 0, Lanes.BYTES, 4L * chunked, paired, lanes);
    }
  }
}
