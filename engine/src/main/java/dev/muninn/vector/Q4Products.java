package dev.muninn.vector;

import static dev.muninn.kernel.Lanes.COUNT;
import static dev.muninn.kernel.Lanes.FLOATS;
import static dev.muninn.kernel.Lanes.INTS;
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
 * Products of 4-bit weights with 8-bit activations: exact sums for each block, then times the
 * scales of activations and weights. For one row the sums have 16 bits, and {@link PanelRows} has
 * prepared coefficients so that no bit of a weight need be masked; for more rows they are floats,
 * exact as well.
 */
final class Q4Products extends PanelProducts {
  static final Q4Products INSTANCE = new Q4Products();

  private static final int ROWS = 32;
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
    int secondOut = COUNT / PAIRS * ROWS + COUNT % PAIRS;
    // Short vectors take half a panel at a time.
    for (int pair = 0; pair < PAIRS; pair += 2 * COUNT) {
      row(
          weights,
          offset + 4L * pair,
          second,
          blocks,
          x.coefficients,
          x.blockInts,
          x.blockScales,
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
      int count = Math.min(most, blocks - first);
      for (int block = 0; block < count; block++) {
        widen(weights, offset + (long) BLOCK_BYTES * (first + block), widened, block * BLOCK);
      }
      addAllBlocks(widened, first, count, x, sums);
    }
  }

  /** Widens a block to [32 inputs][32 rows], bits where they are, and its scales. */
  private static void widen(MemorySegment weights, long offset, float[] widened, int to) {
    weights.get(ValueLayout.JAVA_BYTE, offset);
    for (int pair = 0; pair < PAIRS; pair += COUNT) {
      for (int g = 0; g < 8; g++) {
        int target = to + 4 * ROWS * g + pair;
        IntVector v =
            IntVector.fromMemorySegment(
                INTS, weights, offset + (long) GROUP_BYTES * g + 4L * pair, LITTLE_ENDIAN);
        ((FloatVector) v.and(0xF).convert(I2F, 0)).intoArray(widened, target);
        ((FloatVector) v.and(0xF0).convert(I2F, 0)).intoArray(widened, target + ROWS);
        ((FloatVector) v.and(0xF00).convert(I2F, 0)).intoArray(widened, target + 2 * ROWS);
        ((FloatVector) v.and(0xF000).convert(I2F, 0)).intoArray(widened, target + 3 * ROWS);
        v = v.lanewise(LSHR, 16);
        target += PAIRS;
        ((FloatVector) v.and(0xF).convert(I2F, 0)).intoArray(widened, target);
        ((FloatVector) v.and(0xF0).convert(I2F, 0)).intoArray(widened, target + ROWS);
        ((FloatVector) v.and(0xF00).convert(I2F, 0)).intoArray(widened, target + 2 * ROWS);
        ((FloatVector) v.and(0xF000).convert(I2F, 0)).intoArray(widened, target + 3 * ROWS);
      }
    }
    for (int pair = 0; pair < PAIRS; pair += COUNT) {
      IntVector s =
          IntVector.fromMemorySegment(INTS, weights, offset + SCALES + 4L * pair, LITTLE_ENDIAN);
      int target = to + ROWS * WeightFormat.BLOCK_INPUTS + pair;
      s.lanewise(LSHL, 16).reinterpretAsFloats().intoArray(widened, target);
      s.and(0xFFFF0000).reinterpretAsFloats().intoArray(widened, target + PAIRS);
    }
  }
}
