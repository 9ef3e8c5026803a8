package dev.muninn.kernel;

import static java.nio.ByteOrder.LITTLE_ENDIAN;

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
  public static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(LITTLE_ENDIAN);

  /** A 16-bit number at any address. */
  public static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(LITTLE_ENDIAN);

  private ScalarKernels() {}

  /** A weight by its column, the row beginning at a byte offset. */
  public static float weight(DType dtype, MemorySegment weights, long rowOffset, int column) {
    return switch (dtype) {
      case F32 -> f32(weights, rowOffset + 4L * column);
      case BF16 -> Float.intBitsToFloat(weights.get(SHORT, rowOffset + 2L * column) << 16);
      case F16 -> Float.float16ToFloat(weights.get(SHORT, rowOffset + 2L * column));
      default -> throw new IllegalArgumentException("no kernel for " + dtype);
    };
  }

  /** An F32 at a byte offset. */
  public static float f32(MemorySegment segment, long offset) {
    return segment.get(FLOAT, offset);
  }

  /** Sets an F32 at a byte offset. */
  public static void setF32(MemorySegment segment, long offset, float value) {
    segment.set(FLOAT, offset, value);
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

  /** {@code x += y}. */
  public static void add(float[] x, int xFrom, float[] y, int yFrom, int size) {
    for (int i = 0; i < size; i++) {
      x[xFrom + i] += y[yFrom + i];
    }
  }

  /** {@code out = x / sqrt(mean(x^2) + epsilon) * weight} (RMSNorm, statistics in f32). */
  public static void norm(
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
  public static void gate(
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
  public static void rotate(
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
  public static void rotateHalves(
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
  public static float exponentiate(float[] scores, int count, float[] lanes) {
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
  public static void addWeighted(
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

  /** A number of a row of keys or values, in BF16 shuffled by {@link #shuffled}. */
  public static float element(DType type, MemorySegment rows, long rowOffset, int index, int size) {
    return weight(type, rows, rowOffset, type == DType.BF16 ? shuffled(index, size) : index);
  }

  /** Stores a row of keys or values at a byte offset, in BF16 shuffled by {@link #shuffled}. */
  public static void store(
      DType type, float[] x, int from, MemorySegment target, long offset, int size) {
    for (int i = 0; i < size; i++) {
      setElement(type, target, offset, i, size, x[from + i]);
    }
  }

  /** Sets a number of a row of keys or values. */
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

  /**
   * Where a row of keys or values has a number in BF16: the two that lanes of two vectors widen to
   * stand beside each other.
   */
  public static int shuffled(int index, int size) {
    int within = index % Lanes.CHUNK;
    if (index >= size - size % Lanes.CHUNK) {
      return index;
    }
    return index - within + within % Lanes.COUNT * 2 + within / Lanes.COUNT;
  }
}
