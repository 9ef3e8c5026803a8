package dev.muninn.kernel;

import static java.nio.ByteOrder.LITTLE_ENDIAN;

import dev.muninn.weights.DType;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/**
 * What softmax attention makes of values: their sum, weighted by position. Every sum is added up in
 * ascending order of positions. The scalar twin is {@link ScalarKernels#addWeighted}.
 */
public final class WeightedSums {
  /**
   * Positions after which one group of columns follows another: so few that the processor is at
   * work on both, and memory is read in order.
   */
  private static final int BLOCK = 16;

  private WeightedSums() {}

  /**
   * {@code out += sum over positions of weight[position] * value[position]}.
   *
   * @param type F32 or BF16
   * @param values rows of {@code size}, as the store of keys and values has them
   * @param offset byte offset of the row of position {@code from}
   * @param weights by position
   */
  public static void add(
      DType type,
      MemorySegment values,
      long offset,
      int size,
      float[] weights,
      int from,
      int to,
      float[] out) {
    int chunked = size - size % Lanes.CHUNK;
    long stride = (long) size * type.bits() / 8;
    for (int p = from; p < to; p += BLOCK) {
      long at = offset + (p - from) * stride;
      int end = Math.min(to, p + BLOCK);
      if (type == DType.BF16) {
        addBf16(values, at, size, chunked, weights, p, end, out);
      } else {
        addF32(values, at, size, chunked, weights, p, end, out);
      }
    }
    if (chunked < size) {
      ScalarKernels.addWeighted(type, values, offset, size, chunked, weights, from, to, out);
    }
  }

  private static void addF32(
      MemorySegment values,
      long offset,
      int size,
      int chunked,
      float[] weights,
      int from,
      int to,
      float[] out) {
    long stride = 4L * size;
    int i = 0;
    for (; i + 2 * Lanes.CHUNK <= chunked; i += 2 * Lanes.CHUNK) {
      FloatVector sum0 = FloatVector.fromArray(Lanes.FLOATS, out, i);
      FloatVector sum1 = FloatVector.fromArray(Lanes.FLOATS, out, i + Lanes.COUNT);
      FloatVector sum2 = FloatVector.fromArray(Lanes.FLOATS, out, i + 2 * Lanes.COUNT);
      FloatVector sum3 = FloatVector.fromArray(Lanes.FLOATS, out, i + 3 * Lanes.COUNT);
      for (int p = from; p < to; p++) {
        FloatVector weight = FloatVector.broadcast(Lanes.FLOATS, weights[p]);
        long at = offset + (p - from) * stride + 4L * i;
        sum0 =
            FloatVector.fromMemorySegment(Lanes.FLOATS, values, at, LITTLE_ENDIAN)
                .fma(weight, sum0);
        sum1 =
            FloatVector.fromMemorySegment(
                    Lanes.FLOATS, values, at + 4L * Lanes.COUNT, LITTLE_ENDIAN)
                .fma(weight, sum1);
        sum2 =
            FloatVector.fromMemorySegment(
                    Lanes.FLOATS, values, at + 8L * Lanes.COUNT, LITTLE_ENDIAN)
                .fma(weight, sum2);
        sum3 =
            FloatVector.fromMemorySegment(
                    Lanes.FLOATS, values, at + 12L * Lanes.COUNT, LITTLE_ENDIAN)
                .fma(weight, sum3);
      }
      sum0.intoArray(out, i);
      sum1.intoArray(out, i + Lanes.COUNT);
      sum2.intoArray(out, i + 2 * Lanes.COUNT);
      sum3.intoArray(out, i + 3 * Lanes.COUNT);
    }
    for (; i < chunked; i += Lanes.COUNT) {
      FloatVector sum = FloatVector.fromArray(Lanes.FLOATS, out, i);
      for (int p = from; p < to; p++) {
        long at = offset + (p - from) * stride + 4L * i;
        sum =
            FloatVector.fromMemorySegment(Lanes.FLOATS, values, at, LITTLE_ENDIAN)
                .fma(FloatVector.broadcast(Lanes.FLOATS, weights[p]), sum);
      }
      sum.intoArray(out, i);
    }
  }

  private static void addBf16(
      MemorySegment values,
      long offset,
      int size,
      int chunked,
      float[] weights,
      int from,
      int to,
      float[] out) {
    long stride = 2L * size;
    int i = 0;
    // Eight sums hide the multipliers' latency.
    for (; i + 4 * Lanes.CHUNK <= chunked; i += 4 * Lanes.CHUNK) {
      FloatVector sum0 = FloatVector.fromArray(Lanes.FLOATS, out, i);
      FloatVector sum1 = FloatVector.fromArray(Lanes.FLOATS, out, i + Lanes.COUNT);
      FloatVector sum2 = FloatVector.fromArray(Lanes.FLOATS, out, i + 2 * Lanes.COUNT);
      FloatVector sum3 = FloatVector.fromArray(Lanes.FLOATS, out, i + 3 * Lanes.COUNT);
      FloatVector sum4 = FloatVector.fromArray(Lanes.FLOATS, out, i + 4 * Lanes.COUNT);
      FloatVector sum5 = FloatVector.fromArray(Lanes.FLOATS, out, i + 5 * Lanes.COUNT);
      FloatVector sum6 = FloatVector.fromArray(Lanes.FLOATS, out, i + 6 * Lanes.COUNT);
      FloatVector sum7 = FloatVector.fromArray(Lanes.FLOATS, out, i + 7 * Lanes.COUNT);
      for (int p = from; p < to; p++) {
        FloatVector weight = FloatVector.broadcast(Lanes.FLOATS, weights[p]);
        long at = offset + (p - from) * stride + 2L * i;
        IntVector pair = IntVector.fromMemorySegment(Lanes.INTS, values, at, LITTLE_ENDIAN);
        sum0 = pair.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().fma(weight, sum0);
        sum1 = pair.and(0xFFFF0000).reinterpretAsFloats().fma(weight, sum1);
        pair = IntVector.fromMemorySegment(Lanes.INTS, values, at + Lanes.BYTES, LITTLE_ENDIAN);
        sum2 = pair.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().fma(weight, sum2);
        sum3 = pair.and(0xFFFF0000).reinterpretAsFloats().fma(weight, sum3);
        pair = IntVector.fromMemorySegment(Lanes.INTS, values, at + 2 * Lanes.BYTES, LITTLE_ENDIAN);
        sum4 = pair.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().fma(weight, sum4);
        sum5 = pair.and(0xFFFF0000).reinterpretAsFloats().fma(weight, sum5);
        pair = IntVector.fromMemorySegment(Lanes.INTS, values, at + 3 * Lanes.BYTES, LITTLE_ENDIAN);
        sum6 = pair.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().fma(weight, sum6);
        sum7 = pair.and(0xFFFF0000).reinterpretAsFloats().fma(weight, sum7);
      }
      sum0.intoArray(out, i);
      sum1.intoArray(out, i + Lanes.COUNT);
      sum2.intoArray(out, i + 2 * Lanes.COUNT);
      sum3.intoArray(out, i + 3 * Lanes.COUNT);
      sum4.intoArray(out, i + 4 * Lanes.COUNT);
      sum5.intoArray(out, i + 5 * Lanes.COUNT);
      sum6.intoArray(out, i + 6 * Lanes.COUNT);
      sum7.intoArray(out, i + 7 * Lanes.COUNT);
    }
    for (; i + 2 * Lanes.CHUNK <= chunked; i += 2 * Lanes.CHUNK) {
      FloatVector sum0 = FloatVector.fromArray(Lanes.FLOATS, out, i);
      FloatVector sum1 = FloatVector.fromArray(Lanes.FLOATS, out, i + Lanes.COUNT);
      FloatVector sum2 = FloatVector.fromArray(Lanes.FLOATS, out, i + 2 * Lanes.COUNT);
      FloatVector sum3 = FloatVector.fromArray(Lanes.FLOATS, out, i + 3 * Lanes.COUNT);
      for (int p = from; p < to; p++) {
        FloatVector weight = FloatVector.broadcast(Lanes.FLOATS, weights[p]);
        long at = offset + (p - from) * stride + 2L * i;
        IntVector pair = IntVector.fromMemorySegment(Lanes.INTS, values, at, LITTLE_ENDIAN);
        sum0 = pair.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().fma(weight, sum0);
        sum1 = pair.and(0xFFFF0000).reinterpretAsFloats().fma(weight, sum1);
        pair =
            IntVector.fromMemorySegment(Lanes.INTS, values, at + 4L * Lanes.COUNT, LITTLE_ENDIAN);
        sum2 = pair.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().fma(weight, sum2);
        sum3 = pair.and(0xFFFF0000).reinterpretAsFloats().fma(weight, sum3);
      }
      sum0.intoArray(out, i);
      sum1.intoArray(out, i + Lanes.COUNT);
      sum2.intoArray(out, i + 2 * Lanes.COUNT);
      sum3.intoArray(out, i + 3 * Lanes.COUNT);
    }
    for (; i < chunked; i += Lanes.CHUNK) {
      FloatVector sum0 = FloatVector.fromArray(Lanes.FLOATS, out, i);
      FloatVector sum1 = FloatVector.fromArray(Lanes.FLOATS, out, i + Lanes.COUNT);
      for (int p = from; p < to; p++) {
        FloatVector weight = FloatVector.broadcast(Lanes.FLOATS, weights[p]);
        long at = offset + (p - from) * stride + 2L * i;
        IntVector pair = IntVector.fromMemorySegment(Lanes.INTS, values, at, LITTLE_ENDIAN);
        sum0 = pair.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().fma(weight, sum0);
        sum1 = pair.and(0xFFFF0000).reinterpretAsFloats().fma(weight, sum1);
      }
      sum0.intoArray(out, i);
      sum1.intoArray(out, i + Lanes.COUNT);
    }
  }
}
