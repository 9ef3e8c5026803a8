package dev.muninn.vector;

import static dev.muninn.kernel.Lanes.COUNT;
import static dev.muninn.kernel.Lanes.FLOATS;
import static dev.muninn.kernel.Lanes.INTS;
import static dev.muninn.vector.ByteBlocks.SIDE;
import static java.nio.ByteOrder.LITTLE_ENDIAN;
import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.LSHR;

import dev.muninn.kernel.ScalarKernels;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;

/** Weighted sums of values in 8 bits, in {@link ByteBlocks}. */
final class ByteValues {
  /** Positions whose weights stay in the first-level cache while some columns follow others. */
  private static final int NEAR = 256;

  /** By what the weight of each lane's position is multiplied. */
  private static final float[] FACTORS = factors();

  private ByteValues() {}

  private static float[] factors() {
    float[] factors = new float[COUNT];
    for (int i = 0; i < COUNT; i++) {
      factors[i] = ByteBlocks.factor(i);
    }
    return factors;
  }

  /** What {@link #add} keeps meanwhile. */
  static final class Scratch {
    /** Sums by column, and room for those of a last turn's columns that do not exist. */
    final float[] sums;

    /** Weights of near positions, times the scales of their values. */
    final float[] weights = new float[NEAR];

    /** The sum of all such weights, by the lanes of their positions. */
    final float[] lanes = new float[COUNT];

    Scratch(int headSize) {
      sums = new float[ByteBlocks.columns(headSize) + 3 * COUNT];
    }
  }

  /**
   * {@code out += sum over positions of weight[position] * value[position]}.
   *
   * @param head where the head begins, which has room for {@code rows} positions
   * @param weights by position
   */
  static void add(
      MemorySegment data,
      long head,
      int rows,
      float[] weights,
      int from,
      int to,
      Scratch scratch,
      float[] out) {
    float[] sums = scratch.sums;
    float[] scaled = scratch.weights;
    int columns = ByteBlocks.columns(out.length);
    Arrays.fill(sums, 0);
    Arrays.fill(scratch.lanes, 0);
    for (int p = from - from % SIDE; p < to; p += NEAR) {
      int begin = Math.max(from - p, 0);
      int end = Math.min(to - p, NEAR);
      if (end - begin < NEAR) {
        Arrays.fill(scaled, 0);
      }
      System.arraycopy(weights, p + begin, scaled, begin, end - begin);
      long scales = head + ByteBlocks.scale(p, rows, columns);
      scale(data, scales, begin, end, scaled, scratch.lanes);
      long offset = head + ByteBlocks.values(p, 0, rows);
      int column = 0;
      for (; column <= columns - 8 * COUNT; column += 8 * COUNT) {
        add8(data, offset, rows, columns, end, scaled, sums, column);
      }
      for (; column < columns; column += 4 * COUNT) {
        add4(data, offset, rows, columns, end, scaled, sums, column);
      }
    }
    finish(sums, scratch.lanes, out);
  }

  /** The twin of {@link #add}. */
  static void addByScalars(
      MemorySegment data,
      long head,
      int rows,
      float[] weights,
      int from,
      int to,
      Scratch scratch,
      float[] out) {
    float[] sums = scratch.sums;
    int columns = ByteBlocks.columns(out.length);
    Arrays.fill(sums, 0);
    Arrays.fill(scratch.lanes, 0);
    for (int p = from; p < to; p++) {
      float weight = weights[p] * ByteBlocks.scale(data, head, p, rows, columns);
      scratch.lanes[p % COUNT] += weight;
      float factor = ByteBlocks.factor(p);
      for (int i = 0; i < out.length; i++) {
        float number = ByteBlocks.value(data, head, p, i, rows);
        sums[i] = Math.fma(number / factor, weight * factor, sums[i]);
      }
    }
    finish(sums, scratch.lanes, out);
  }

  /**
   * Ends weighted sums that other positions are in already: adds some more, and takes off what is
   * too much.
   *
   * @param scaled weights from {@link #scale}, that of position p at {@code at + p}
   * @param start minus what is too much in all
   * @param out has the sums, and gets the ends
   */
  static void addRest(
      MemorySegment data,
      long head,
      int rows,
      float[] scaled,
      int at,
      int from,
      int to,
      float start,
      float[] out) {
    for (int i = 0; i < out.length; i++) {
      float sum = out[i];
      for (int p = from; p < to; p++) {
        float number = ByteBlocks.value(data, head, p, i, rows);
        sum = Math.fma(number / ByteBlocks.factor(p), scaled[at + p], sum);
      }
      out[i] = 0f + (sum + start);
    }
  }

  private static void finish(float[] sums, float[] lanes, float[] out) {
    float start = start(lanes);
    for (int i = 0; i < out.length; i++) {
      out[i] += sums[i] + start;
    }
  }

  /** Minus what weighted sums are too large by. */
  static float start(float[] lanes) {
    return -ByteBlocks.ZERO * ScalarKernels.sum(lanes);
  }

  /**
   * Multiplies weights by the scales of their values, and divides them by what bytes count too much
   * where they are.
   *
   * @param offset of the scale of position 0, whose weight is the first
   * @param lanes to which their sum before the division is added, lane by lane
   */
  static void scale(
      MemorySegment data, long offset, int from, int to, float[] weights, float[] lanes) {
    int p = from;
    for (; p < to && p % COUNT > 0; p++) {
      scale(data, offset, p, weights, lanes);
    }
    for (; p <= to - COUNT; p += COUNT) {
      FloatVector weight =
          FloatVector.fromMemorySegment(FLOATS, data, offset + 4L * p, LITTLE_ENDIAN)
              .mul(FloatVector.fromArray(FLOATS, weights, p));
      weight.add(FloatVector.fromArray(FLOATS, lanes, 0)).intoArray(lanes, 0);
      weight.mul(FloatVector.fromArray(FLOATS, FACTORS, 0)).intoArray(weights, p);
    }
    for (; p < to; p++) {
      scale(data, offset, p, weights, lanes);
    }
  }

  private static void scale(
      MemorySegment data, long offset, int position, float[] weights, float[] lanes) {
    float weight = weights[position] * ScalarKernels.f32(data, offset + 4L * position);
    lanes[position % COUNT] += weight;
    weights[position] = weight * ByteBlocks.factor(position);
  }

  /** Where a vector of columns begins. For those behind the last, the last stands in. */
  private static long place(int column, int rows, int columns) {
    return ByteBlocks.values(0, Math.min(column, columns - COUNT), rows);
  }

  /** Adds the values of some positions, in eight vectors of columns. */
  private static void add8(
      MemorySegment data,
      long offset,
      int rows,
      int columns,
      int count,
      float[] weights,
      float[] sums,
      int column) {
    long at0 = offset + place(column, rows, columns);
    long at1 = offset + place(column + COUNT, rows, columns);
    long at2 = offset + place(column + 2 * COUNT, rows, columns);
    long at3 = offset + place(column + 3 * COUNT, rows, columns);
    long at4 = offset + place(column + 4 * COUNT, rows, columns);
    long at5 = offset + place(column + 5 * COUNT, rows, columns);
    long at6 = offset + place(column + 6 * COUNT, rows, columns);
    long at7 = offset + place(column + 7 * COUNT, rows, columns);
    FloatVector sum0 = FloatVector.fromArray(FLOATS, sums, column);
    FloatVector sum1 = FloatVector.fromArray(FLOATS, sums, column + COUNT);
    FloatVector sum2 = FloatVector.fromArray(FLOATS, sums, column + 2 * COUNT);
    FloatVector sum3 = FloatVector.fromArray(FLOATS, sums, column + 3 * COUNT);
    FloatVector sum4 = FloatVector.fromArray(FLOATS, sums, column + 4 * COUNT);
    FloatVector sum5 = FloatVector.fromArray(FLOATS, sums, column + 5 * COUNT);
    FloatVector sum6 = FloatVector.fromArray(FLOATS, sums, column + 6 * COUNT);
    FloatVector sum7 = FloatVector.fromArray(FLOATS, sums, column + 7 * COUNT);
    for (int p = 0; p < count; p += 4) {
      FloatVector w0 = FloatVector.broadcast(FLOATS, weights[p]);
      FloatVector w1 = FloatVector.broadcast(FLOATS, weights[p + 1]);
      FloatVector w2 = FloatVector.broadcast(FLOATS, weights[p + 2]);
      FloatVector w3 = FloatVector.broadcast(FLOATS, weights[p + 3]);
      long step = (long) SIDE * p;
      IntVector v = IntVector.fromMemorySegment(INTS, data, at0 + step, LITTLE_ENDIAN);
      sum0 = ((FloatVector) v.and(0xFF).convert(I2F, 0)).fma(w0, sum0);
      sum0 = ((FloatVector) v.and(0xFF00).convert(I2F, 0)).fma(w1, sum0);
      sum0 = ((FloatVector) v.and(0xFF0000).convert(I2F, 0)).fma(w2, sum0);
      sum0 = ((FloatVector) v.lanewise(LSHR, 24).convert(I2F, 0)).fma(w3, sum0);
      v = IntVector.fromMemorySegment(INTS, data, at1 + step, LITTLE_ENDIAN);
      sum1 = ((FloatVector) v.and(0xFF).convert(I2F, 0)).fma(w0, sum1);
      sum1 = ((FloatVector) v.and(0xFF00).convert(I2F, 0)).fma(w1, sum1);
      sum1 = ((FloatVector) v.and(0xFF0000).convert(I2F, 0)).fma(w2, sum1);
      sum1 = ((FloatVector) v.lanewise(LSHR, 24).convert(I2F, 0)).fma(w3, sum1);
      v = IntVector.fromMemorySegment(INTS, data, at2 + step, LITTLE_ENDIAN);
      sum2 = ((FloatVector) v.and(0xFF).convert(I2F, 0)).fma(w0, sum2);
      sum2 = ((FloatVector) v.and(0xFF00).convert(I2F, 0)).fma(w1, sum2);
      sum2 = ((FloatVector) v.and(0xFF0000).convert(I2F, 0)).fma(w2, sum2);
      sum2 = ((FloatVector) v.lanewise(LSHR, 24).convert(I2F, 0)).fma(w3, sum2);
      v = IntVector.fromMemorySegment(INTS, data, at3 + step, LITTLE_ENDIAN);
      sum3 = ((FloatVector) v.and(0xFF).convert(I2F, 0)).fma(w0, sum3);
      sum3 = ((FloatVector) v.and(0xFF00).convert(I2F, 0)).fma(w1, sum3);
      sum3 = ((FloatVector) v.and(0xFF0000).convert(I2F, 0)).fma(w2, sum3);
      sum3 = ((FloatVector) v.lanewise(LSHR, 24).convert(I2F, 0)).fma(w3, sum3);
      v = IntVector.fromMemorySegment(INTS, data, at4 + step, LITTLE_ENDIAN);
      sum4 = ((FloatVector) v.and(0xFF).convert(I2F, 0)).fma(w0, sum4);
      sum4 = ((FloatVector) v.and(0xFF00).convert(I2F, 0)).fma(w1, sum4);
      sum4 = ((FloatVector) v.and(0xFF0000).convert(I2F, 0)).fma(w2, sum4);
      sum4 = ((FloatVector) v.lanewise(LSHR, 24).convert(I2F, 0)).fma(w3, sum4);
      v = IntVector.fromMemorySegment(INTS, data, at5 + step, LITTLE_ENDIAN);
      sum5 = ((FloatVector) v.and(0xFF).convert(I2F, 0)).fma(w0, sum5);
      sum5 = ((FloatVector) v.and(0xFF00).convert(I2F, 0)).fma(w1, sum5);
      sum5 = ((FloatVector) v.and(0xFF0000).convert(I2F, 0)).fma(w2, sum5);
      sum5 = ((FloatVector) v.lanewise(LSHR, 24).convert(I2F, 0)).fma(w3, sum5);
      v = IntVector.fromMemorySegment(INTS, data, at6 + step, LITTLE_ENDIAN);
      sum6 = ((FloatVector) v.and(0xFF).convert(I2F, 0)).fma(w0, sum6);
      sum6 = ((FloatVector) v.and(0xFF00).convert(I2F, 0)).fma(w1, sum6);
      sum6 = ((FloatVector) v.and(0xFF0000).convert(I2F, 0)).fma(w2, sum6);
      sum6 = ((FloatVector) v.lanewise(LSHR, 24).convert(I2F, 0)).fma(w3, sum6);
      v = IntVector.fromMemorySegment(INTS, data, at7 + step, LITTLE_ENDIAN);
      sum7 = ((FloatVector) v.and(0xFF).convert(I2F, 0)).fma(w0, sum7);
      sum7 = ((FloatVector) v.and(0xFF00).convert(I2F, 0)).fma(w1, sum7);
      sum7 = ((FloatVector) v.and(0xFF0000).convert(I2F, 0)).fma(w2, sum7);
      sum7 = ((FloatVector) v.lanewise(LSHR, 24).convert(I2F, 0)).fma(w3, sum7);
    }
    sum0.intoArray(sums, column);
    sum1.intoArray(sums, column + COUNT);
    sum2.intoArray(sums, column + 2 * COUNT);
    sum3.intoArray(sums, column + 3 * COUNT);
    sum4.intoArray(sums, column + 4 * COUNT);
    sum5.intoArray(sums, column + 5 * COUNT);
    sum6.intoArray(sums, column + 6 * COUNT);
    sum7.intoArray(sums, column + 7 * COUNT);
  }

  /** Adds the values of some positions, in four vectors of columns. */
  private static void add4(
      MemorySegment data,
      long offset,
      int rows,
      int columns,
      int count,
      float[] weights,
      float[] sums,
      int column) {
    long at0 = offset + place(column, rows, columns);
    long at1 = offset + place(column + COUNT, rows, columns);
    long at2 = offset + place(column + 2 * COUNT, rows, columns);
    long at3 = offset + place(column + 3 * COUNT, rows, columns);
    FloatVector sum0 = FloatVector.fromArray(FLOATS, sums, column);
    FloatVector sum1 = FloatVector.fromArray(FLOATS, sums, column + COUNT);
    FloatVector sum2 = FloatVector.fromArray(FLOATS, sums, column + 2 * COUNT);
    FloatVector sum3 = FloatVector.fromArray(FLOATS, sums, column + 3 * COUNT);
    for (int p = 0; p < count; p += 4) {
      FloatVector w0 = FloatVector.broadcast(FLOATS, weights[p]);
      FloatVector w1 = FloatVector.broadcast(FLOATS, weights[p + 1]);
      FloatVector w2 = FloatVector.broadcast(FLOATS, weights[p + 2]);
      FloatVector w3 = FloatVector.broadcast(FLOATS, weights[p + 3]);
      long step = (long) SIDE * p;
      IntVector v = IntVector.fromMemorySegment(INTS, data, at0 + step, LITTLE_ENDIAN);
      sum0 = ((FloatVector) v.and(0xFF).convert(I2F, 0)).fma(w0, sum0);
      sum0 = ((FloatVector) v.and(0xFF00).convert(I2F, 0)).fma(w1, sum0);
      sum0 = ((FloatVector) v.and(0xFF0000).convert(I2F, 0)).fma(w2, sum0);
      sum0 = ((FloatVector) v.lanewise(LSHR, 24).convert(I2F, 0)).fma(w3, sum0);
      v = IntVector.fromMemorySegment(INTS, data, at1 + step, LITTLE_ENDIAN);
      sum1 = ((FloatVector) v.and(0xFF).convert(I2F, 0)).fma(w0, sum1);
      sum1 = ((FloatVector) v.and(0xFF00).convert(I2F, 0)).fma(w1, sum1);
      sum1 = ((FloatVector) v.and(0xFF0000).convert(I2F, 0)).fma(w2, sum1);
      sum1 = ((FloatVector) v.lanewise(LSHR, 24).convert(I2F, 0)).fma(w3, sum1);
      v = IntVector.fromMemorySegment(INTS, data, at2 + step, LITTLE_ENDIAN);
      sum2 = ((FloatVector) v.and(0xFF).convert(I2F, 0)).fma(w0, sum2);
      sum2 = ((FloatVector) v.and(0xFF00).convert(I2F, 0)).fma(w1, sum2);
      sum2 = ((FloatVector) v.and(0xFF0000).convert(I2F, 0)).fma(w2, sum2);
      sum2 = ((FloatVector) v.lanewise(LSHR, 24).convert(I2F, 0)).fma(w3, sum2);
      v = IntVector.fromMemorySegment(INTS, data, at3 + step, LITTLE_ENDIAN);
      sum3 = ((FloatVector) v.and(0xFF).convert(I2F, 0)).fma(w0, sum3);
      sum3 = ((FloatVector) v.and(0xFF00).convert(I2F, 0)).fma(w1, sum3);
      sum3 = ((FloatVector) v.and(0xFF0000).convert(I2F, 0)).fma(w2, sum3);
      sum3 = ((FloatVector) v.lanewise(LSHR, 24).convert(I2F, 0)).fma(w3, sum3);
    }
    sum0.intoArray(sums, column);
    sum1.intoArray(sums, column + COUNT);
    sum2.intoArray(sums, column + 2 * COUNT);
    sum3.intoArray(sums, column + 3 * COUNT);
  }
}
