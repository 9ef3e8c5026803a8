package dev.muninn.vector;

import static java.nio.ByteOrder.LITTLE_ENDIAN;

import dev.muninn.model.WeightMatrix;
import dev.muninn.weights.DType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/**
 * The scalar twins: what each vector kernel computes, in plain loops. They are the kernels'
 * specification and take over where a size leaves no full vector.
 */
public final class ScalarKernels {
  /** An F32 at any address. */
  static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(LITTLE_ENDIAN);

  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(LITTLE_ENDIAN);

  private ScalarKernels() {}

  /** A weight by its column, the row beginning at a byte offset. */
  static float weight(DType dtype, MemorySegment weights, long rowOffset, int column) {
    return switch (dtype) {
      case F32 -> f32(weights, rowOffset + 4L * column);
      case BF16 -> Float.intBitsToFloat(weights.get(SHORT, rowOffset + 2L * column) << 16);
      case F16 -> Float.float16ToFloat(weights.get(SHORT, rowOffset + 2L * column));
      default -> throw new IllegalArgumentException("no kernel for " + dtype);
    };
  }

  /** An F32 at a byte offset. */
  static float f32(MemorySegment segment, long offset) {
    return segment.get(FLOAT, offset);
  }

  /** Sets an F32 at a byte offset. */
  static void setF32(MemorySegment segment, long offset, float value) {
    segment.set(FLOAT, offset, value);
  }

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
      float value = f32(x.data, x.rowOffset(row) + vector * x.rowStep(row) + 4L * lane);
      float weight = weight(matrix.dtype(), matrix.data(), offset, column);
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
                weight(dtype, weights, rowOffset, column), f32(x, first + 4L * lane), lanes[lane]);
        lanes[lane] =
            Math.fma(
                weight(dtype, weights, rowOffset, column + otherColumn),
                f32(x, first + step + 4L * lane),
                sum);
      }
    }
    for (int i = 0; i < tail; i++) {
      int lane = PackedRows.tailLane(i, paired);
      lanes[lane] =
          Math.fma(
              weight(dtype, weights, rowOffset, chunked + i),
              f32(x, tailFrom + 4L * i),
              lanes[lane]);
    }
    return product(lanes);
  }

  /** The sum of a product's lanes, where it is 0 never -0, as {@link Lanes#reduce} has it. */
  private static float product(float[] lanes) {
    return sum(lanes) + 0f;
  }

  /** The sum of {@link Lanes#COUNT} lanes, as {@link Lanes#reduce} folds them. */
  public static float sum(float[] lanes) {
    for (int distance = Lanes.COUNT / 2; distance > 0; distance /= 2) {
      for (int lane = 0; lane < distance; lane++) {
        lanes[lane] += lanes[lane + distance];
      }
    }
    return lanes[0];
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
      MemorySegment.copy(matrix.data(), FLOAT, offset, out, at, columns);
      return;
    }
    MemorySegment.copy(matrix.data(), SHORT, offset, halves, 0, columns);
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
      MemorySegment.copy(matrix.data(), FLOAT, offset, weights, 0, columns);
      return;
    }
    MemorySegment.copy(matrix.data(), SHORT, offset, halves, 0, columns);
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

  /** {@code x += y}. */
  static void add(float[] x, int xFrom, float[] y, int yFrom, int size) {
    for (int i = 0; i < size; i++) {
      x[xFrom + i] += y[yFrom + i];
    }
  }

  /** {@code out = x / sqrt(mean(x^2) + epsilon) * weight} (RMSNorm, statistics in f32). */
  static void norm(
      float[] x,
      int from,
      float[] weight,
      float epsilon,
      float[] out,
      int to,
      int size,
      float[] lanes) {
    int bound = size - size % Lanes.COUNT;
    Arrays.fill(lanes, 0, Lanes.COUNT, 0);
    for (int i = 0; i < bound; i++) {
      int lane = i % Lanes.COUNT;
      lanes[lane] = Math.fma(x[from + i], x[from + i], lanes[lane]);
    }
    float squares = sum(lanes);
    for (int i = bound; i < size; i++) {
      squares = Math.fma(x[from + i], x[from + i], squares);
    }
    float scale = (float) (1 / Math.sqrt(squares / size + epsilon));
    for (int i = 0; i < size; i++) {
      out[to + i] = x[from + i] * scale * weight[i];
    }
  }

  /** {@code hidden = gate * sigmoid(gate) * up}. */
  static void gate(
      float[] gate, int gateFrom, float[] up, int upFrom, float[] hidden, int to, int size) {
    for (int i = 0; i < size; i++) {
      float g = gate[gateFrom + i];
      hidden[to + i] = g / (exponential(-g) + 1) * up[upFrom + i];
    }
  }

  /**
   * Adds the bias, if there is one, and turns adjacent pairs: {@code (a, b) -> (a cos - b sin, b
   * cos + a sin)}.
   *
   * @param bias null for none
   * @param cosines of each column's angle, from {@code table}
   * @param sines of each column's angle, negative in even columns, from {@code table}
   */
  static void rotate(
      float[] x,
      int from,
      float[] bias,
      int biasFrom,
      float[] cosines,
      float[] sines,
      int table,
      float[] out,
      int size) {
    rotate(x, from, bias, biasFrom, cosines, sines, table, out, 0, size);
  }

  /** The same, in the columns from {@code column} on. */
  static void rotate(
      float[] x,
      int from,
      float[] bias,
      int biasFrom,
      float[] cosines,
      float[] sines,
      int table,
      float[] out,
      int column,
      int size) {
    for (int i = column; i < size; i++) {
      float own = biased(x, from, bias, biasFrom, i);
      float other = biased(x, from, bias, biasFrom, i ^ 1);
      out[i] = own * cosines[table + i] + other * sines[table + i];
    }
  }

  /**
   * Adds the bias, if there is one, and turns the pairs of columns i and i + size / 2.
   *
   * @param bias null for none
   * @param cosines of each column's angle, from {@code table}
   * @param sines of each column's angle, negative in the first half, from {@code table}
   */
  static void rotateHalves(
      float[] x,
      int from,
      float[] bias,
      int biasFrom,
      float[] cosines,
      float[] sines,
      int table,
      float[] out,
      int size) {
    rotateHalves(x, from, bias, biasFrom, cosines, sines, table, out, 0, size);
  }

  /** The same, in the pairs from {@code column} on. */
  static void rotateHalves(
      float[] x,
      int from,
      float[] bias,
      int biasFrom,
      float[] cosines,
      float[] sines,
      int table,
      float[] out,
      int column,
      int size) {
    int half = size / 2;
    for (int i = column; i < half; i++) {
      float first = biased(x, from, bias, biasFrom, i);
      float second = biased(x, from, bias, biasFrom, half + i);
      out[i] = first * cosines[table + i] + second * sines[table + i];
      out[half + i] = second * cosines[table + half + i] + first * sines[table + half + i];
    }
  }

  private static float biased(float[] x, int from, float[] bias, int biasFrom, int column) {
    return bias == null ? x[from + column] : x[from + column] + bias[biasFrom + column];
  }

  /** Replaces scores by exp(score - greatest) and returns their sum. */
  static float exponentiate(float[] scores, int count, float[] lanes) {
    float greatest = Float.NEGATIVE_INFINITY;
    for (int i = 0; i < count; i++) {
      greatest = Math.max(greatest, scores[i]);
    }
    Arrays.fill(lanes, 0, Lanes.COUNT, 0);
    for (int i = 0; i < count; i++) {
      scores[i] = exponential(scores[i] - greatest);
      lanes[i % Lanes.COUNT] += scores[i];
    }
    return sum(lanes);
  }

  /** {@link RowKernels#exponentials} of one value. */
  public static float exponential(float x) {
    float bounded = Math.max(Math.min(x, 88.37f), -87.33f);
    float shifted = bounded * 1.442695041f + 12_582_912f;
    float n = shifted - 12_582_912f;
    float r = n * -0.693359375f + bounded;
    r = n * 2.12194440e-4f + r;
    float p = r * 1.9875691500e-4f + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * r * r + r + 1;
    float power = Float.intBitsToFloat((Float.floatToRawIntBits(shifted) << 23) + 0x3F800000);
    return x < -87.33f ? 0 : p * power;
  }

  /**
   * {@code out += sum over positions of weight[position] * value[position]}, in the columns from
   * {@code column} on.
   */
  static void addWeighted(
      DType type,
      MemorySegment values,
      long offset,
      int size,
      int column,
      float[] weights,
      int from,
      int to,
      float[] out) {
    long stride = (long) size * type.bits() / 8;
    for (int i = column; i < size; i++) {
      for (int position = from; position < to; position++) {
        long row = offset + stride * (position - from);
        out[i] = Math.fma(element(type, values, row, i, size), weights[position], out[i]);
      }
    }
  }

  /** A number of a row of {@link VectorStore}. */
  static float element(DType type, MemorySegment rows, long rowOffset, int index, int size) {
    return weight(type, rows, rowOffset, type == DType.BF16 ? shuffled(index, size) : index);
  }

  /** Stores values at a byte offset, as {@link VectorStore} has them. */
  static void store(DType type, float[] x, int from, MemorySegment target, long offset, int size) {
    for (int i = 0; i < size; i++) {
      setElement(type, target, offset, i, size, x[from + i]);
    }
  }

  /** Sets a number of a row of {@link VectorStore}. */
  static void setElement(
      DType type, MemorySegment rows, long rowOffset, int index, int size, float value) {
    if (type == DType.BF16) {
      rows.set(SHORT, rowOffset + 2L * shuffled(index, size), bf16(value));
    } else {
      setF32(rows, rowOffset + 4L * index, value);
    }
  }

  /** The nearest BF16, ties to even; NaN stays NaN. */
  public static short bf16(float value) {
    int bits = Float.floatToRawIntBits(value);
    int rounded = Float.isNaN(value) ? bits | 0x400000 : bits + (bits >>> 16 & 1) + 0x7FFF;
    return (short) (rounded >>> 16);
  }

  /** Where {@link VectorStore} has a number in BF16. */
  static int shuffled(int index, int size) {
    int within = index % Lanes.CHUNK;
    if (index >= size - size % Lanes.CHUNK) {
      return index;
    }
    return index - within + within % Lanes.COUNT * 2 + within / Lanes.COUNT;
  }
}
