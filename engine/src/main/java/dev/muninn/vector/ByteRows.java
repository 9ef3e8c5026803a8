package dev.muninn.vector;

import static dev.muninn.kernel.Lanes.BYTES;
import static dev.muninn.kernel.Lanes.COUNT;
import static dev.muninn.kernel.Lanes.FLOATS;
import static dev.muninn.kernel.Lanes.INTS;
import static java.nio.ByteOrder.LITTLE_ENDIAN;
import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.LSHR;

import dev.muninn.kernel.Lanes;
import dev.muninn.kernel.ScalarKernels;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;

/**
 * Keys and values in 8 bits: a row of bytes, each 128 too large, and an F32 scale behind them. Four
 * vectors' worth of numbers share the ints of one: byte j of lane l is number {@code j * COUNT +
 * l}, and numbers that fill no such chunk follow one by one.
 *
 * <p>A byte is used where it is in its int, and counts 2^8 or 2^16 too much; queries are divided by
 * that beforehand, and weighted sums afterwards. That bytes are 128 too large is taken off a whole
 * sum.
 */
final class ByteRows {
  /** Bytes of the scale. */
  static final int SCALE_BYTES = Float.BYTES;

  /** Numbers that share a vector of ints. */
  static final int CHUNK = 4 * COUNT;

  static final float ZERO = 128;

  /** Positions whose values stay in the first-level cache while one chunk follows another. */
  private static final int BLOCK = 64;

  private ByteRows() {}

  /** Stores a row with one scale. What is not finite makes all of the row NaN. */
  static void store(float[] x, int from, MemorySegment target, long offset, int size) {
    float most = 0;
    for (int i = 0; i < size; i++) {
      most = Math.max(most, Math.abs(x[from + i]));
    }
    float inverse = 127 / most;
    boolean usable = most > 0 && inverse > 0 && inverse <= Float.MAX_VALUE;
    float scale = usable ? most / 127 : most <= 1 ? 0 : Float.NaN;
    for (int i = 0; i < size; i++) {
      int value = usable ? Math.round(x[from + i] * inverse) : 0;
      target.set(ValueLayout.JAVA_BYTE, offset + place(i, size), (byte) (value + 128));
    }
    ScalarKernels.setF32(target, offset + size, scale);
  }

  private static int place(int index, int size) {
    int within = index % CHUNK;
    return index >= size - size % CHUNK
        ? index
        : index - within + 4 * (within % COUNT) + within / COUNT;
  }

  /** A number of a row. */
  static float element(MemorySegment rows, long offset, int index, int size) {
    int value = rows.get(ValueLayout.JAVA_BYTE, offset + place(index, size)) & 0xFF;
    return (value - 128) * ScalarKernels.f32(rows, offset + size);
  }

  /** What a byte counts too much where it is. */
  static float factor(int index, int size) {
    if (index >= size - size % CHUNK) {
      return 1;
    }
    return switch (index % CHUNK / COUNT) {
      case 1 -> 0x1p-8f;
      case 2 -> 0x1p-16f;
      default -> 1;
    };
  }

  /**
   * Prepares a query for {@link #scores}.
   *
   * @param packed gets it, and behind it what scores start from
   */
  static void packQuery(float[] query, int size, MemorySegment packed) {
    float sum = 0;
    for (int i = 0; i < size; i++) {
      sum += query[i];
      ScalarKernels.setF32(packed, 4L * i, query[i] * factor(i, size));
    }
    ScalarKernels.setF32(packed, 4L * size, -ZERO * sum);
  }

  /**
   * The products of 16 keys with a query: of 4 in each of 4 streams.
   *
   * @param offset of the first key
   * @param streamBytes from one stream to the next
   * @param partials gets that of key i of stream j at 4 j + i
   */
  static void scores(
      MemorySegment rows,
      long offset,
      long streamBytes,
      int size,
      MemorySegment query,
      float[] partials) {
    long stride = (long) size + SCALE_BYTES;
    int chunked = size - size % CHUNK;
    for (int i = 0; i < 4; i++) {
      dot4(rows, offset + i * stride, streamBytes, chunked, query, partials, i * COUNT);
    }
    for (int i = 0; i < MatrixKernels.UNIT && chunked < size; i++) {
      long row = offset + i % 4 * stride + i / 4 * streamBytes;
      addTail(rows, row, chunked, size, query, partials, i * COUNT);
    }
    Lanes.reduce(partials);
    finish(rows, offset, streamBytes, size, query, partials);
  }

  private static void finish(
      MemorySegment rows,
      long offset,
      long streamBytes,
      int size,
      MemorySegment query,
      float[] partials) {
    float start = ScalarKernels.f32(query, 4L * size);
    long stride = (long) size + SCALE_BYTES;
    for (int stream = 0; stream < 4; stream++) {
      long at = offset + stream * streamBytes + size;
      for (int i = 4 * stream; i < 4 * stream + 4; i++, at += stride) {
        partials[i] = (partials[i] + start) * ScalarKernels.f32(rows, at);
      }
    }
  }

  private static void addTail(
      MemorySegment rows,
      long offset,
      int from,
      int size,
      MemorySegment query,
      float[] partials,
      int at) {
    for (int i = from; i < size; i++) {
      float value = rows.get(ValueLayout.JAVA_BYTE, offset + i) & 0xFF;
      int lane = at + (i - from) % COUNT;
      partials[lane] = Math.fma(value, ScalarKernels.f32(query, 4L * i), partials[lane]);
    }
  }

  /** A key of each of 4 streams. */
  private static void dot4(
      MemorySegment rows,
      long offset,
      long streamBytes,
      int chunked,
      MemorySegment query,
      float[] out,
      int to) {
    FloatVector sum0 = FloatVector.zero(FLOATS);
    FloatVector sum1 = sum0;
    FloatVector sum2 = sum0;
    FloatVector sum3 = sum0;
    for (int i = 0; i < chunked; i += CHUNK) {
      long q = 4L * i;
      FloatVector q0 = FloatVector.fromMemorySegment(FLOATS, query, q, LITTLE_ENDIAN);
      FloatVector q1 = FloatVector.fromMemorySegment(FLOATS, query, q + BYTES, LITTLE_ENDIAN);
      FloatVector q2 = FloatVector.fromMemorySegment(FLOATS, query, q + 2 * BYTES, LITTLE_ENDIAN);
      FloatVector q3 = FloatVector.fromMemorySegment(FLOATS, query, q + 3 * BYTES, LITTLE_ENDIAN);
      IntVector v = IntVector.fromMemorySegment(INTS, rows, offset + i, LITTLE_ENDIAN);
      sum0 = ((FloatVector) v.and(0xFF).convert(I2F, 0)).fma(q0, sum0);
      sum0 = ((FloatVector) v.and(0xFF00).convert(I2F, 0)).fma(q1, sum0);
      sum0 = ((FloatVector) v.and(0xFF0000).convert(I2F, 0)).fma(q2, sum0);
      sum0 = ((FloatVector) v.lanewise(LSHR, 24).convert(I2F, 0)).fma(q3, sum0);
      v = IntVector.fromMemorySegment(INTS, rows, offset + streamBytes + i, LITTLE_ENDIAN);
      sum1 = ((FloatVector) v.and(0xFF).convert(I2F, 0)).fma(q0, sum1);
      sum1 = ((FloatVector) v.and(0xFF00).convert(I2F, 0)).fma(q1, sum1);
      sum1 = ((FloatVector) v.and(0xFF0000).convert(I2F, 0)).fma(q2, sum1);
      sum1 = ((FloatVector) v.lanewise(LSHR, 24).convert(I2F, 0)).fma(q3, sum1);
      v = IntVector.fromMemorySegment(INTS, rows, offset + 2 * streamBytes + i, LITTLE_ENDIAN);
      sum2 = ((FloatVector) v.and(0xFF).convert(I2F, 0)).fma(q0, sum2);
      sum2 = ((FloatVector) v.and(0xFF00).convert(I2F, 0)).fma(q1, sum2);
      sum2 = ((FloatVector) v.and(0xFF0000).convert(I2F, 0)).fma(q2, sum2);
      sum2 = ((FloatVector) v.lanewise(LSHR, 24).convert(I2F, 0)).fma(q3, sum2);
      v = IntVector.fromMemorySegment(INTS, rows, offset + 3 * streamBytes + i, LITTLE_ENDIAN);
      sum3 = ((FloatVector) v.and(0xFF).convert(I2F, 0)).fma(q0, sum3);
      sum3 = ((FloatVector) v.and(0xFF00).convert(I2F, 0)).fma(q1, sum3);
      sum3 = ((FloatVector) v.and(0xFF0000).convert(I2F, 0)).fma(q2, sum3);
      sum3 = ((FloatVector) v.lanewise(LSHR, 24).convert(I2F, 0)).fma(q3, sum3);
    }
    sum0.intoArray(out, to);
    sum1.intoArray(out, to + 4 * COUNT);
    sum2.intoArray(out, to + 8 * COUNT);
    sum3.intoArray(out, to + 12 * COUNT);
  }

  /** The twin of {@link #scores}. */
  static void scoresByScalars(
      MemorySegment rows,
      long offset,
      long streamBytes,
      int size,
      MemorySegment query,
      float[] lanes,
      float[] partials) {
    int chunked = size - size % CHUNK;
    float[] sums = new float[MatrixKernels.UNIT];
    for (int key = 0; key < MatrixKernels.UNIT; key++) {
      long row = offset + key % 4 * (size + SCALE_BYTES) + key / 4 * streamBytes;
      Arrays.fill(lanes, 0, COUNT, 0);
      for (int i = 0; i < chunked; i++) {
        float value = rows.get(ValueLayout.JAVA_BYTE, row + place(i, size)) & 0xFF;
        float placed = value / factor(i, size);
        lanes[i % COUNT] = Math.fma(placed, ScalarKernels.f32(query, 4L * i), lanes[i % COUNT]);
      }
      addTail(rows, row, chunked, size, query, lanes, 0);
      sums[key] = ScalarKernels.sum(lanes) + 0f;
    }
    System.arraycopy(sums, 0, partials, 0, sums.length);
    finish(rows, offset, streamBytes, size, query, partials);
  }

  /** Room for what {@link #addWeighted} keeps meanwhile: sums, and weights of a block. */
  static float[] sums(int size) {
    return new float[size + BLOCK];
  }

  /**
   * {@code out += sum over positions of weight[position] * value[position]}.
   *
   * @param weights by position
   * @param sums from {@link #sums}
   */
  static void addWeighted(
      MemorySegment rows,
      long offset,
      int size,
      float[] weights,
      int from,
      int to,
      float[] sums,
      float[] out) {
    int stride = size + SCALE_BYTES;
    int chunked = size - size % CHUNK;
    float sum = 0;
    Arrays.fill(sums, 0, size, 0);
    for (int p = from; p < to; p += BLOCK) {
      int count = Math.min(BLOCK, to - p);
      long at = offset + (long) (p - from) * stride;
      sum = scale(rows, at, size, weights, p, count, sums, sum);
      for (int i = 0; i < chunked; i += CHUNK) {
        addChunk(rows, at + i, stride, sums, size, count, i);
      }
      addByScalars(rows, at, size, chunked, sums, count);
    }
    float start = -ZERO * sum;
    for (int i = 0; i < chunked; i += CHUNK) {
      finishChunk(sums, i, start, out);
    }
    finishByScalars(sums, chunked, size, start, out);
  }

  /** The twin of {@link #addWeighted}. */
  static void addWeightedByScalars(
      MemorySegment rows,
      long offset,
      int size,
      float[] weights,
      int from,
      int to,
      float[] sums,
      float[] out) {
    float sum = 0;
    Arrays.fill(sums, 0, size, 0);
    for (int p = from; p < to; p += BLOCK) {
      int count = Math.min(BLOCK, to - p);
      long at = offset + (long) (p - from) * (size + SCALE_BYTES);
      sum = scale(rows, at, size, weights, p, count, sums, sum);
      addByScalars(rows, at, size, 0, sums, count);
    }
    finishByScalars(sums, 0, size, -ZERO * sum, out);
  }

  /**
   * Multiplies weights of a block by the scales of their rows.
   *
   * @param sums gets them behind its sums
   * @param sum of the blocks before
   * @return the sum of all of them
   */
  private static float scale(
      MemorySegment rows,
      long offset,
      int size,
      float[] weights,
      int from,
      int count,
      float[] sums,
      float sum) {
    float total = sum;
    long at = offset + size;
    for (int p = 0; p < count; p++, at += size + SCALE_BYTES) {
      float weight = weights[from + p] * ScalarKernels.f32(rows, at);
      sums[size + p] = weight;
      total += weight;
    }
    return total;
  }

  private static void addByScalars(
      MemorySegment rows, long offset, int size, int column, float[] sums, int count) {
    for (int i = column; i < size; i++) {
      float factor = factor(i, size);
      long at = offset + place(i, size);
      for (int p = 0; p < count; p++, at += size + SCALE_BYTES) {
        float value = rows.get(ValueLayout.JAVA_BYTE, at) & 0xFF;
        sums[i] = Math.fma(value / factor, sums[size + p], sums[i]);
      }
    }
  }

  private static void finishByScalars(
      float[] sums, int column, int size, float start, float[] out) {
    for (int i = column; i < size; i++) {
      out[i] += sums[i] * factor(i, size) + start;
    }
  }

  /**
   * Ends weighted sums that other positions are in already: adds some more, and makes of a sum of
   * bytes where they are one of numbers.
   *
   * @param scaled weights times scales, of the rows from {@code from} to {@code to}
   * @param start what is too much in all
   * @param out has the sums, and gets the ends
   */
  static void addRest(
      MemorySegment rows,
      long offset,
      int size,
      float[] scaled,
      int from,
      int to,
      float start,
      float[] out) {
    for (int i = 0; i < size; i++) {
      float factor = factor(i, size);
      float sum = out[i];
      long at = offset + place(i, size);
      for (int p = from; p < to; p++, at += size + SCALE_BYTES) {
        float value = rows.get(ValueLayout.JAVA_BYTE, at) & 0xFF;
        sum = Math.fma(value / factor, scaled[p], sum);
      }
      out[i] = 0f + (sum * factor + start);
    }
  }

  private static void addChunk(
      MemorySegment rows, long offset, long stride, float[] sums, int weights, int count, int at) {
    FloatVector sum0 = FloatVector.fromArray(FLOATS, sums, at);
    FloatVector sum1 = FloatVector.fromArray(FLOATS, sums, at + COUNT);
    FloatVector sum2 = FloatVector.fromArray(FLOATS, sums, at + 2 * COUNT);
    FloatVector sum3 = FloatVector.fromArray(FLOATS, sums, at + 3 * COUNT);
    for (int p = 0; p < count; p++) {
      FloatVector y = FloatVector.broadcast(FLOATS, sums[weights + p]);
      IntVector v = IntVector.fromMemorySegment(INTS, rows, offset + p * stride, LITTLE_ENDIAN);
      sum0 = ((FloatVector) v.and(0xFF).convert(I2F, 0)).fma(y, sum0);
      sum1 = ((FloatVector) v.and(0xFF00).convert(I2F, 0)).fma(y, sum1);
      sum2 = ((FloatVector) v.and(0xFF0000).convert(I2F, 0)).fma(y, sum2);
      sum3 = ((FloatVector) v.lanewise(LSHR, 24).convert(I2F, 0)).fma(y, sum3);
    }
    sum0.intoArray(sums, at);
    sum1.intoArray(sums, at + COUNT);
    sum2.intoArray(sums, at + 2 * COUNT);
    sum3.intoArray(sums, at + 3 * COUNT);
  }

  private static void finishChunk(float[] sums, int at, float start, float[] out) {
    for (int i = 0; i < 4; i++) {
      int to = at + i * COUNT;
      float factor = i == 1 ? 0x1p-8f : i == 2 ? 0x1p-16f : 1;
      FloatVector sum = FloatVector.fromArray(FLOATS, sums, to).mul(factor).add(start);
      FloatVector.fromArray(FLOATS, out, to).add(sum).intoArray(out, to);
    }
  }
}
