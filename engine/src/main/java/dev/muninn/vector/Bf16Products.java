package dev.muninn.vector;

import static dev.muninn.kernel.Lanes.BYTES;
import static dev.muninn.kernel.Lanes.COUNT;
import static dev.muninn.kernel.Lanes.FLOATS;
import static dev.muninn.kernel.Lanes.INTS;
import static dev.muninn.kernel.Lanes.SWAP_1;
import static dev.muninn.kernel.Lanes.SWAP_2;
import static dev.muninn.kernel.Lanes.SWAP_4;
import static dev.muninn.kernel.Lanes.SWAP_8;
import static dev.muninn.kernel.Lanes.UPPER_1;
import static dev.muninn.kernel.Lanes.UPPER_2;
import static dev.muninn.kernel.Lanes.UPPER_4;
import static dev.muninn.kernel.Lanes.UPPER_8;
import static java.nio.ByteOrder.LITTLE_ENDIAN;
import static jdk.incubator.vector.VectorOperators.LSHL;

import dev.muninn.model.WeightMatrix;
import dev.muninn.weights.DType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;

/**
 * Products of BF16 weights, which are the upper halves of floats. A step takes one vector of ints
 * of each row: the lower halves are the even columns, the upper halves the odd ones.
 */
final class Bf16Products extends RowMajorProducts {
  static final Bf16Products INSTANCE = new Bf16Products();

  private Bf16Products() {
    super(DType.BF16);
  }

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
    if (x.wide()) {
      WideProducts.multiply(matrix, from, to, x, 0, y, at, stride, scratch);
    } else {
      super.multiply(matrix, from, to, x, y, at, stride, scratch);
    }
  }

  @Override
  void rows4(
      MemorySegment weights,
      long offset,
      long stride,
      int steps,
      MemorySegment x,
      long from,
      float[] out,
      int to) {
    weights.get(ValueLayout.JAVA_BYTE, offset);
    FloatVector sum0 = FloatVector.zero(FLOATS);
    FloatVector sum1 = sum0;
    FloatVector sum2 = sum0;
    FloatVector sum3 = sum0;
    int step = 0;
    for (; step + 2 <= steps; step += 2) {
      long at = from + step * (2 * BYTES);
      long base = offset + step * BYTES;
      FloatVector x0 = FloatVector.fromMemorySegment(FLOATS, x, at, LITTLE_ENDIAN);
      FloatVector x1 = FloatVector.fromMemorySegment(FLOATS, x, at + BYTES, LITTLE_ENDIAN);
      IntVector w = IntVector.fromMemorySegment(INTS, weights, base, LITTLE_ENDIAN);
      sum0 =
          w.and(0xFFFF0000)
              .reinterpretAsFloats()
              .fma(x1, w.lanewise(LSHL, 16).reinterpretAsFloats().fma(x0, sum0));
      w = IntVector.fromMemorySegment(INTS, weights, base + stride, LITTLE_ENDIAN);
      sum1 =
          w.and(0xFFFF0000)
              .reinterpretAsFloats()
              .fma(x1, w.lanewise(LSHL, 16).reinterpretAsFloats().fma(x0, sum1));
      w = IntVector.fromMemorySegment(INTS, weights, base + 2 * stride, LITTLE_ENDIAN);
      sum2 =
          w.and(0xFFFF0000)
              .reinterpretAsFloats()
              .fma(x1, w.lanewise(LSHL, 16).reinterpretAsFloats().fma(x0, sum2));
      w = IntVector.fromMemorySegment(INTS, weights, base + 3 * stride, LITTLE_ENDIAN);
      sum3 =
          w.and(0xFFFF0000)
              .reinterpretAsFloats()
              .fma(x1, w.lanewise(LSHL, 16).reinterpretAsFloats().fma(x0, sum3));
      FloatVector x2 = FloatVector.fromMemorySegment(FLOATS, x, at + 2 * BYTES, LITTLE_ENDIAN);
      FloatVector x3 = FloatVector.fromMemorySegment(FLOATS, x, at + 3 * BYTES, LITTLE_ENDIAN);
      w = IntVector.fromMemorySegment(INTS, weights, base + BYTES, LITTLE_ENDIAN);
      sum0 =
          w.and(0xFFFF0000)
              .reinterpretAsFloats()
              .fma(x3, w.lanewise(LSHL, 16).reinterpretAsFloats().fma(x2, sum0));
      w = IntVector.fromMemorySegment(INTS, weights, base + stride + BYTES, LITTLE_ENDIAN);
      sum1 =
          w.and(0xFFFF0000)
              .reinterpretAsFloats()
              .fma(x3, w.lanewise(LSHL, 16).reinterpretAsFloats().fma(x2, sum1));
      w = IntVector.fromMemorySegment(INTS, weights, base + 2 * stride + BYTES, LITTLE_ENDIAN);
      sum2 =
          w.and(0xFFFF0000)
              .reinterpretAsFloats()
              .fma(x3, w.lanewise(LSHL, 16).reinterpretAsFloats().fma(x2, sum2));
      w = IntVector.fromMemorySegment(INTS, weights, base + 3 * stride + BYTES, LITTLE_ENDIAN);
      sum3 =
          w.and(0xFFFF0000)
              .reinterpretAsFloats()
              .fma(x3, w.lanewise(LSHL, 16).reinterpretAsFloats().fma(x2, sum3));
    }
    if (step < steps) {
      long at = from + step * (2 * BYTES);
      long base = offset + step * BYTES;
      FloatVector x0 = FloatVector.fromMemorySegment(FLOATS, x, at, LITTLE_ENDIAN);
      FloatVector x1 = FloatVector.fromMemorySegment(FLOATS, x, at + BYTES, LITTLE_ENDIAN);
      IntVector w = IntVector.fromMemorySegment(INTS, weights, base, LITTLE_ENDIAN);
      sum0 =
          w.and(0xFFFF0000)
              .reinterpretAsFloats()
              .fma(x1, w.lanewise(LSHL, 16).reinterpretAsFloats().fma(x0, sum0));
      w = IntVector.fromMemorySegment(INTS, weights, base + stride, LITTLE_ENDIAN);
      sum1 =
          w.and(0xFFFF0000)
              .reinterpretAsFloats()
              .fma(x1, w.lanewise(LSHL, 16).reinterpretAsFloats().fma(x0, sum1));
      w = IntVector.fromMemorySegment(INTS, weights, base + 2 * stride, LITTLE_ENDIAN);
      sum2 =
          w.and(0xFFFF0000)
              .reinterpretAsFloats()
              .fma(x1, w.lanewise(LSHL, 16).reinterpretAsFloats().fma(x0, sum2));
      w = IntVector.fromMemorySegment(INTS, weights, base + 3 * stride, LITTLE_ENDIAN);
      sum3 =
          w.and(0xFFFF0000)
              .reinterpretAsFloats()
              .fma(x1, w.lanewise(LSHL, 16).reinterpretAsFloats().fma(x0, sum3));
    }
    sum0.intoArray(out, to);
    sum1.intoArray(out, to + 4 * COUNT);
    sum2.intoArray(out, to + 8 * COUNT);
    sum3.intoArray(out, to + 12 * COUNT);
  }

  @Override
  void tile(
      MemorySegment weights,
      long offset,
      long stride,
      int steps,
      MemorySegment x,
      long from,
      boolean whole,
      float[] out,
      int to) {
    weights.get(ValueLayout.JAVA_BYTE, offset);
    FloatVector sum00 = FloatVector.zero(FLOATS);
    FloatVector sum01 = sum00;
    FloatVector sum02 = sum00;
    FloatVector sum03 = sum00;
    FloatVector sum10 = sum00;
    FloatVector sum11 = sum00;
    FloatVector sum12 = sum00;
    FloatVector sum13 = sum00;
    FloatVector sum20 = sum00;
    FloatVector sum21 = sum00;
    FloatVector sum22 = sum00;
    FloatVector sum23 = sum00;
    FloatVector sum30 = sum00;
    FloatVector sum31 = sum00;
    FloatVector sum32 = sum00;
    FloatVector sum33 = sum00;
    for (int step = 0; step < steps; step++) {
      long at = from + step * 8 * BYTES;
      long base = offset + step * BYTES;
      IntVector pair0 = IntVector.fromMemorySegment(INTS, weights, base, LITTLE_ENDIAN);
      IntVector pair1 = IntVector.fromMemorySegment(INTS, weights, base + stride, LITTLE_ENDIAN);
      IntVector pair2 =
          IntVector.fromMemorySegment(INTS, weights, base + 2 * stride, LITTLE_ENDIAN);
      IntVector pair3 =
          IntVector.fromMemorySegment(INTS, weights, base + 3 * stride, LITTLE_ENDIAN);
      FloatVector w0 = pair0.lanewise(LSHL, 16).reinterpretAsFloats();
      FloatVector w1 = pair1.lanewise(LSHL, 16).reinterpretAsFloats();
      FloatVector w2 = pair2.lanewise(LSHL, 16).reinterpretAsFloats();
      FloatVector w3 = pair3.lanewise(LSHL, 16).reinterpretAsFloats();
      FloatVector column = FloatVector.fromMemorySegment(FLOATS, x, at, LITTLE_ENDIAN);
      sum00 = w0.fma(column, sum00);
      sum01 = w1.fma(column, sum01);
      sum02 = w2.fma(column, sum02);
      sum03 = w3.fma(column, sum03);
      column = FloatVector.fromMemorySegment(FLOATS, x, at + BYTES, LITTLE_ENDIAN);
      sum10 = w0.fma(column, sum10);
      sum11 = w1.fma(column, sum11);
      sum12 = w2.fma(column, sum12);
      sum13 = w3.fma(column, sum13);
      column = FloatVector.fromMemorySegment(FLOATS, x, at + 2 * BYTES, LITTLE_ENDIAN);
      sum20 = w0.fma(column, sum20);
      sum21 = w1.fma(column, sum21);
      sum22 = w2.fma(column, sum22);
      sum23 = w3.fma(column, sum23);
      column = FloatVector.fromMemorySegment(FLOATS, x, at + 3 * BYTES, LITTLE_ENDIAN);
      sum30 = w0.fma(column, sum30);
      sum31 = w1.fma(column, sum31);
      sum32 = w2.fma(column, sum32);
      sum33 = w3.fma(column, sum33);
      w0 = pair0.and(0xFFFF0000).reinterpretAsFloats();
      w1 = pair1.and(0xFFFF0000).reinterpretAsFloats();
      w2 = pair2.and(0xFFFF0000).reinterpretAsFloats();
      w3 = pair3.and(0xFFFF0000).reinterpretAsFloats();
      column = FloatVector.fromMemorySegment(FLOATS, x, at + 4 * BYTES, LITTLE_ENDIAN);
      sum00 = w0.fma(column, sum00);
      sum01 = w1.fma(column, sum01);
      sum02 = w2.fma(column, sum02);
      sum03 = w3.fma(column, sum03);
      column = FloatVector.fromMemorySegment(FLOATS, x, at + 5 * BYTES, LITTLE_ENDIAN);
      sum10 = w0.fma(column, sum10);
      sum11 = w1.fma(column, sum11);
      sum12 = w2.fma(column, sum12);
      sum13 = w3.fma(column, sum13);
      column = FloatVector.fromMemorySegment(FLOATS, x, at + 6 * BYTES, LITTLE_ENDIAN);
      sum20 = w0.fma(column, sum20);
      sum21 = w1.fma(column, sum21);
      sum22 = w2.fma(column, sum22);
      sum23 = w3.fma(column, sum23);
      column = FloatVector.fromMemorySegment(FLOATS, x, at + 7 * BYTES, LITTLE_ENDIAN);
      sum30 = w0.fma(column, sum30);
      sum31 = w1.fma(column, sum31);
      sum32 = w2.fma(column, sum32);
      sum33 = w3.fma(column, sum33);
    }
    if (whole) {
      sum00 = sum00.blend(sum20, UPPER_8).add(sum20.blend(sum00, UPPER_8).rearrange(SWAP_8));
      sum01 = sum01.blend(sum21, UPPER_8).add(sum21.blend(sum01, UPPER_8).rearrange(SWAP_8));
      sum02 = sum02.blend(sum22, UPPER_8).add(sum22.blend(sum02, UPPER_8).rearrange(SWAP_8));
      sum03 = sum03.blend(sum23, UPPER_8).add(sum23.blend(sum03, UPPER_8).rearrange(SWAP_8));
      sum10 = sum10.blend(sum30, UPPER_8).add(sum30.blend(sum10, UPPER_8).rearrange(SWAP_8));
      sum11 = sum11.blend(sum31, UPPER_8).add(sum31.blend(sum11, UPPER_8).rearrange(SWAP_8));
      sum12 = sum12.blend(sum32, UPPER_8).add(sum32.blend(sum12, UPPER_8).rearrange(SWAP_8));
      sum13 = sum13.blend(sum33, UPPER_8).add(sum33.blend(sum13, UPPER_8).rearrange(SWAP_8));
      sum00 = sum00.blend(sum10, UPPER_4).add(sum10.blend(sum00, UPPER_4).rearrange(SWAP_4));
      sum01 = sum01.blend(sum11, UPPER_4).add(sum11.blend(sum01, UPPER_4).rearrange(SWAP_4));
      sum02 = sum02.blend(sum12, UPPER_4).add(sum12.blend(sum02, UPPER_4).rearrange(SWAP_4));
      sum03 = sum03.blend(sum13, UPPER_4).add(sum13.blend(sum03, UPPER_4).rearrange(SWAP_4));
      sum00 = sum00.blend(sum02, UPPER_2).add(sum02.blend(sum00, UPPER_2).rearrange(SWAP_2));
      sum01 = sum01.blend(sum03, UPPER_2).add(sum03.blend(sum01, UPPER_2).rearrange(SWAP_2));
      sum00
          .blend(sum01, UPPER_1)
          .add(sum01.blend(sum00, UPPER_1).rearrange(SWAP_1))
          .add(0)
          .intoArray(out, to);
      return;
    }
    sum00.intoArray(out, 0);
    sum01.intoArray(out, COUNT);
    sum02.intoArray(out, 2 * COUNT);
    sum03.intoArray(out, 3 * COUNT);
    sum10.intoArray(out, 4 * COUNT);
    sum11.intoArray(out, 5 * COUNT);
    sum12.intoArray(out, 6 * COUNT);
    sum13.intoArray(out, 7 * COUNT);
    sum20.intoArray(out, 8 * COUNT);
    sum21.intoArray(out, 9 * COUNT);
    sum22.intoArray(out, 10 * COUNT);
    sum23.intoArray(out, 11 * COUNT);
    sum30.intoArray(out, 12 * COUNT);
    sum31.intoArray(out, 13 * COUNT);
    sum32.intoArray(out, 14 * COUNT);
    sum33.intoArray(out, 15 * COUNT);
  }

  @Override
  void pair(
      MemorySegment weights,
      long offset,
      long stride,
      int steps,
      float[] x,
      int from,
      boolean whole,
      float[] out,
      int to) {
    weights.get(ValueLayout.JAVA_BYTE, offset);
    long step = stepBytes;
    FloatVector sum00 = FloatVector.zero(FLOATS);
    FloatVector sum01 = sum00;
    FloatVector sum02 = sum00;
    FloatVector sum03 = sum00;
    FloatVector sum10 = sum00;
    FloatVector sum11 = sum00;
    FloatVector sum12 = sum00;
    FloatVector sum13 = sum00;
    long base = offset;
    int end = from + 4 * COUNT * steps;
    for (int at = from; at < end; at += 4 * COUNT) {
      FloatVector x0 = FloatVector.fromArray(FLOATS, x, at);
      FloatVector y0 = FloatVector.fromArray(FLOATS, x, at + COUNT);
      FloatVector x1 = FloatVector.fromArray(FLOATS, x, at + 2 * COUNT);
      FloatVector y1 = FloatVector.fromArray(FLOATS, x, at + 3 * COUNT);
      IntVector pair = IntVector.fromMemorySegment(INTS, weights, base, LITTLE_ENDIAN);
      FloatVector w = pair.lanewise(LSHL, 16).reinterpretAsFloats();
      sum00 = w.fma(x0, sum00);
      sum10 = w.fma(y0, sum10);
      w = pair.and(0xFFFF0000).reinterpretAsFloats();
      sum00 = w.fma(x1, sum00);
      sum10 = w.fma(y1, sum10);
      pair = IntVector.fromMemorySegment(INTS, weights, base + stride, LITTLE_ENDIAN);
      w = pair.lanewise(LSHL, 16).reinterpretAsFloats();
      sum01 = w.fma(x0, sum01);
      sum11 = w.fma(y0, sum11);
      w = pair.and(0xFFFF0000).reinterpretAsFloats();
      sum01 = w.fma(x1, sum01);
      sum11 = w.fma(y1, sum11);
      pair = IntVector.fromMemorySegment(INTS, weights, base + 2 * stride, LITTLE_ENDIAN);
      w = pair.lanewise(LSHL, 16).reinterpretAsFloats();
      sum02 = w.fma(x0, sum02);
      sum12 = w.fma(y0, sum12);
      w = pair.and(0xFFFF0000).reinterpretAsFloats();
      sum02 = w.fma(x1, sum02);
      sum12 = w.fma(y1, sum12);
      pair = IntVector.fromMemorySegment(INTS, weights, base + 3 * stride, LITTLE_ENDIAN);
      w = pair.lanewise(LSHL, 16).reinterpretAsFloats();
      sum03 = w.fma(x0, sum03);
      sum13 = w.fma(y0, sum13);
      w = pair.and(0xFFFF0000).reinterpretAsFloats();
      sum03 = w.fma(x1, sum03);
      sum13 = w.fma(y1, sum13);
      base += step;
    }
    if (whole) {
      sum00 = sum00.blend(sum10, UPPER_4).add(sum10.blend(sum00, UPPER_4).rearrange(SWAP_4));
      sum01 = sum01.blend(sum11, UPPER_4).add(sum11.blend(sum01, UPPER_4).rearrange(SWAP_4));
      sum02 = sum02.blend(sum12, UPPER_4).add(sum12.blend(sum02, UPPER_4).rearrange(SWAP_4));
      sum03 = sum03.blend(sum13, UPPER_4).add(sum13.blend(sum03, UPPER_4).rearrange(SWAP_4));
      sum00 = sum00.blend(sum02, UPPER_2).add(sum02.blend(sum00, UPPER_2).rearrange(SWAP_2));
      sum01 = sum01.blend(sum03, UPPER_2).add(sum03.blend(sum01, UPPER_2).rearrange(SWAP_2));
      sum00
          .blend(sum01, UPPER_1)
          .add(sum01.blend(sum00, UPPER_1).rearrange(SWAP_1))
          .add(0)
          .intoArray(out, to);
      return;
    }
    sum00.intoArray(out, 0);
    sum01.intoArray(out, COUNT);
    sum02.intoArray(out, 2 * COUNT);
    sum03.intoArray(out, 3 * COUNT);
    sum10.intoArray(out, 4 * COUNT);
    sum11.intoArray(out, 5 * COUNT);
    sum12.intoArray(out, 6 * COUNT);
    sum13.intoArray(out, 7 * COUNT);
  }
}
