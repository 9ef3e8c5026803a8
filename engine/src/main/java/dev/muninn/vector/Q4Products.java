package dev.muninn.vector;

import static dev.muninn.vector.Lanes.COUNT;
import static dev.muninn.vector.Lanes.FLOATS;
import static dev.muninn.vector.Lanes.INTS;
import static java.nio.ByteOrder.LITTLE_ENDIAN;
import static jdk.incubator.vector.VectorOperators.ASHR;
import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LSHR;

import dev.muninn.model.WeightFormat;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;

/**
 * Products of 4-bit weights with 8-bit activations: exact sums in 16 bits for each block, whose
 * coefficients {@link PanelRows} has prepared so that no bit of a weight need be masked; then times
 * the scales of activations and weights.
 */
final class Q4Products extends PanelProducts {
  static final Q4Products INSTANCE = new Q4Products();

  private static final int PAIRS = 16;
  private static final int GROUP_BYTES = 64;
  private static final int SCALES = 512;
  private static final int BLOCK_BYTES = WeightFormat.Q4.blockBytes();

  private Q4Products() {
    super(WeightFormat.Q4);
  }

  @Override
  int together() {
    return Math.max(1, 2 * COUNT / PAIRS);
  }

  @Override
  void row(MemorySegment weights, long offset, long far, int columns, PanelRows x, float[] out) {
    int blocks = Math.ceilDiv(columns, WeightFormat.BLOCK_INPUTS);
    long second = COUNT / PAIRS * far + COUNT % PAIRS * 4;
    int secondOut = COUNT / PAIRS * PanelTiles.OUTPUTS + COUNT % PAIRS;
    // Short vectors take half a panel at a time.
    for (int pair = 0; pair < PAIRS; pair += 2 * COUNT) {
      row(
          weights,
          offset + 4L * pair,
          second,
          blocks,
          x.coefficients,
          x.blockInts,
          x.blockFloats,
          out,
          pair,
          pair + secondOut);
    }
  }

  /** Two vectors of shorts, at a distance. */
  private static void row(
      MemorySegment weights,
      long offset,
      long second,
      int blocks,
      int[] x,
      int[] starts,
      float[] scales,
      float[] out,
      int to0,
      int to1) {
    weights.get(ValueLayout.JAVA_BYTE, offset);
    FloatVector low0 = FloatVector.zero(FLOATS);
    FloatVector low1 = low0;
    FloatVector high0 = low0;
    FloatVector high1 = low0;
    for (int block = 0; block < blocks; block++) {
      long from = offset + (long) BLOCK_BYTES * block;
      int input = 32 * block;
      ShortVector a0 = IntVector.broadcast(INTS, starts[block]).reinterpretAsShorts();
      ShortVector b0 = IntVector.zero(INTS).reinterpretAsShorts();
      ShortVector a1 = a0;
      ShortVector b1 = b0;
      for (int g = 0; g < 8; g++) {
        long at = from + (long) GROUP_BYTES * g;
        int k = input + 4 * g;
        ShortVector y0 = IntVector.broadcast(INTS, x[k]).reinterpretAsShorts();
        ShortVector y1 = IntVector.broadcast(INTS, x[k + 1]).reinterpretAsShorts();
        ShortVector y2 = IntVector.broadcast(INTS, x[k + 2]).reinterpretAsShorts();
        ShortVector y3 = IntVector.broadcast(INTS, x[k + 3]).reinterpretAsShorts();
        ShortVector v =
            IntVector.fromMemorySegment(INTS, weights, at, LITTLE_ENDIAN).reinterpretAsShorts();
        a0 = v.mul(y0).add(a0);
        b0 = v.lanewise(LSHR, 4).mul(y1).add(b0);
        a0 = v.lanewise(LSHR, 8).mul(y2).add(a0);
        b0 = v.lanewise(LSHR, 12).mul(y3).add(b0);
        v =
            IntVector.fromMemorySegment(INTS, weights, at + second, LITTLE_ENDIAN)
                .reinterpretAsShorts();
        a1 = v.mul(y0).add(a1);
        b1 = v.lanewise(LSHR, 4).mul(y1).add(b1);
        a1 = v.lanewise(LSHR, 8).mul(y2).add(a1);
        b1 = v.lanewise(LSHR, 12).mul(y3).add(b1);
      }
      FloatVector scale = FloatVector.broadcast(FLOATS, scales[block]);
      IntVector sums = a0.add(b0).reinterpretAsInts();
      IntVector s = IntVector.fromMemorySegment(INTS, weights, from + SCALES, LITTLE_ENDIAN);
      low0 =
          ((FloatVector) sums.lanewise(LSHL, 16).lanewise(ASHR, 16).convert(I2F, 0))
              .mul(scale)
              .fma(s.lanewise(LSHL, 16).reinterpretAsFloats(), low0);
      high0 =
          ((FloatVector) sums.lanewise(ASHR, 16).convert(I2F, 0))
              .mul(scale)
              .fma(s.and(0xFFFF0000).reinterpretAsFloats(), high0);
      sums = a1.add(b1).reinterpretAsInts();
      s = IntVector.fromMemorySegment(INTS, weights, from + SCALES + second, LITTLE_ENDIAN);
      low1 =
          ((FloatVector) sums.lanewise(LSHL, 16).lanewise(ASHR, 16).convert(I2F, 0))
              .mul(scale)
              .fma(s.lanewise(LSHL, 16).reinterpretAsFloats(), low1);
      high1 =
          ((FloatVector) sums.lanewise(ASHR, 16).convert(I2F, 0))
              .mul(scale)
              .fma(s.and(0xFFFF0000).reinterpretAsFloats(), high1);
    }
    low0.intoArray(out, to0);
    high0.intoArray(out, to0 + PAIRS);
    low1.intoArray(out, to1);
    high1.intoArray(out, to1 + PAIRS);
  }

  @Override
  void rows(
      MemorySegment weights, long offset, int columns, PanelRows x, float[] sums, float[] widened) {
    int blocks = Math.ceilDiv(columns, WeightFormat.BLOCK_INPUTS);
    int most = INPUTS / WeightFormat.BLOCK_INPUTS;
    for (int first = 0; first < blocks; first += most) {
      int end = Math.min(blocks, first + most);
      for (int group = 0; group < x.groups(); group++) {
        int to = PanelTiles.OUTPUTS * x.groupFirst(group);
        for (int pair = 0; pair < PAIRS; pair += COUNT) {
          for (int block = first; block < end; block++) {
            rows4(
                weights,
                offset + (long) BLOCK_BYTES * block + 4L * pair,
                x.coefficients,
                x.offset(group, WeightFormat.BLOCK_INPUTS * block),
                x.blockInts,
                x.blockFloats,
                x.blockOffset(group, block),
                sums,
                to + pair);
          }
        }
      }
    }
  }

  /** Adds the products of a block, one vector of shorts of it, with 4 rows. */
  private static void rows4(
      MemorySegment weights,
      long offset,
      int[] x,
      int at,
      int[] starts,
      float[] scales,
      int blockAt,
      float[] sums,
      int to) {
    weights.get(ValueLayout.JAVA_BYTE, offset);
    ShortVector a = IntVector.broadcast(INTS, starts[blockAt]).reinterpretAsShorts();
    ShortVector b = IntVector.broadcast(INTS, starts[blockAt + 1]).reinterpretAsShorts();
    ShortVector c = IntVector.broadcast(INTS, starts[blockAt + 2]).reinterpretAsShorts();
    ShortVector d = IntVector.broadcast(INTS, starts[blockAt + 3]).reinterpretAsShorts();
    for (int g = 0; g < 8; g++) {
      int q = at + 16 * g;
      ShortVector v =
          IntVector.fromMemorySegment(INTS, weights, offset + (long) GROUP_BYTES * g, LITTLE_ENDIAN)
              .reinterpretAsShorts();
      a = v.mul(IntVector.broadcast(INTS, x[q]).reinterpretAsShorts()).add(a);
      b = v.mul(IntVector.broadcast(INTS, x[q + 1]).reinterpretAsShorts()).add(b);
      c = v.mul(IntVector.broadcast(INTS, x[q + 2]).reinterpretAsShorts()).add(c);
      d = v.mul(IntVector.broadcast(INTS, x[q + 3]).reinterpretAsShorts()).add(d);
      ShortVector u = v.lanewise(LSHR, 4);
      a = u.mul(IntVector.broadcast(INTS, x[q + 4]).reinterpretAsShorts()).add(a);
      b = u.mul(IntVector.broadcast(INTS, x[q + 5]).reinterpretAsShorts()).add(b);
      c = u.mul(IntVector.broadcast(INTS, x[q + 6]).reinterpretAsShorts()).add(c);
      d = u.mul(IntVector.broadcast(INTS, x[q + 7]).reinterpretAsShorts()).add(d);
      u = v.lanewise(LSHR, 8);
      a = u.mul(IntVector.broadcast(INTS, x[q + 8]).reinterpretAsShorts()).add(a);
      b = u.mul(IntVector.broadcast(INTS, x[q + 9]).reinterpretAsShorts()).add(b);
      c = u.mul(IntVector.broadcast(INTS, x[q + 10]).reinterpretAsShorts()).add(c);
      d = u.mul(IntVector.broadcast(INTS, x[q + 11]).reinterpretAsShorts()).add(d);
      u = v.lanewise(LSHR, 12);
      a = u.mul(IntVector.broadcast(INTS, x[q + 12]).reinterpretAsShorts()).add(a);
      b = u.mul(IntVector.broadcast(INTS, x[q + 13]).reinterpretAsShorts()).add(b);
      c = u.mul(IntVector.broadcast(INTS, x[q + 14]).reinterpretAsShorts()).add(c);
      d = u.mul(IntVector.broadcast(INTS, x[q + 15]).reinterpretAsShorts()).add(d);
    }
    IntVector pairs = IntVector.fromMemorySegment(INTS, weights, offset + SCALES, LITTLE_ENDIAN);
    FloatVector low = pairs.lanewise(LSHL, 16).reinterpretAsFloats();
    FloatVector high = pairs.and(0xFFFF0000).reinterpretAsFloats();
    FloatVector scale = FloatVector.broadcast(FLOATS, scales[blockAt]);
    IntVector t = a.reinterpretAsInts();
    ((FloatVector) t.lanewise(LSHL, 16).lanewise(ASHR, 16).convert(I2F, 0))
        .mul(scale)
        .fma(low, FloatVector.fromArray(FLOATS, sums, to))
        .intoArray(sums, to);
    ((FloatVector) t.lanewise(ASHR, 16).convert(I2F, 0))
        .mul(scale)
        .fma(high, FloatVector.fromArray(FLOATS, sums, to + PAIRS))
        .intoArray(sums, to + PAIRS);
    scale = FloatVector.broadcast(FLOATS, scales[blockAt + 1]);
    t = b.reinterpretAsInts();
    ((FloatVector) t.lanewise(LSHL, 16).lanewise(ASHR, 16).convert(I2F, 0))
        .mul(scale)
        .fma(low, FloatVector.fromArray(FLOATS, sums, to + 32))
        .intoArray(sums, to + 32);
    ((FloatVector) t.lanewise(ASHR, 16).convert(I2F, 0))
        .mul(scale)
        .fma(high, FloatVector.fromArray(FLOATS, sums, to + 32 + PAIRS))
        .intoArray(sums, to + 32 + PAIRS);
    scale = FloatVector.broadcast(FLOATS, scales[blockAt + 2]);
    t = c.reinterpretAsInts();
    ((FloatVector) t.lanewise(LSHL, 16).lanewise(ASHR, 16).convert(I2F, 0))
        .mul(scale)
        .fma(low, FloatVector.fromArray(FLOATS, sums, to + 64))
        .intoArray(sums, to + 64);
    ((FloatVector) t.lanewise(ASHR, 16).convert(I2F, 0))
        .mul(scale)
        .fma(high, FloatVector.fromArray(FLOATS, sums, to + 64 + PAIRS))
        .intoArray(sums, to + 64 + PAIRS);
    scale = FloatVector.broadcast(FLOATS, scales[blockAt + 3]);
    t = d.reinterpretAsInts();
    ((FloatVector) t.lanewise(LSHL, 16).lanewise(ASHR, 16).convert(I2F, 0))
        .mul(scale)
        .fma(low, FloatVector.fromArray(FLOATS, sums, to + 96))
        .intoArray(sums, to + 96);
    ((FloatVector) t.lanewise(ASHR, 16).convert(I2F, 0))
        .mul(scale)
        .fma(high, FloatVector.fromArray(FLOATS, sums, to + 96 + PAIRS))
        .intoArray(sums, to + 96 + PAIRS);
  }
}
