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
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;

/**
 * Products of 4-bit weights with activations that are whole numbers of a block's scale: exact sums
 * for each block, then times the scales of activations and weights. For one row the sums are two of
 * 16 bits, and {@link PanelRows} has prepared coefficients so that no bit of a weight need be
 * masked; for more rows they are floats, exact as well.
 */
final class Q4Products extends BlockProducts {
  static final Q4Products INSTANCE = new Q4Products();

  private static final int ROWS = WeightFormat.PANEL_ROWS;
  private static final int GROUP_BYTES = 64;
  private static final int SCALES = 512;

  /** Panels that two vectors of shorts take. */
  private static final int PANELS = Math.max(1, 2 * COUNT / PAIRS);

  /** Regions that are read in turn, so that memory is ahead of the arithmetic in each. */
  private static final int TURNS = 4;

  private Q4Products() {
    super(WeightFormat.Q4);
  }

  @Override
  int together() {
    return TURNS * PANELS;
  }

  @Override
  void row(
      MemorySegment weights,
      long offset,
      long far,
      int panels,
      int columns,
      PanelRows x,
      float[] out) {
    int turns = Math.max(1, panels / PANELS);
    int blocks = Math.ceilDiv(columns, WeightFormat.BLOCK_INPUTS);
    Arrays.fill(out, 0, ROWS * PANELS * turns, 0);
    // Short vectors take half a panel at a time.
    for (int pair = 0; pair < PAIRS; pair += 2 * COUNT) {
      row(
          weights,
          offset + 4L * pair,
          far,
          turns,
          groupBytes,
          blocks,
          x.digits,
          x.digitStarts,
          x.blockScales,
          out,
          pair);
    }
  }

  /**
   * Two vectors of shorts: a block of each turn's panels after the other.
   *
   * <p>All is written out: where C2 does not inline a method that takes vectors, they are objects.
   */
  private static void row(
      MemorySegment weights,
      long offset,
      long far,
      int turns,
      long step,
      int blocks,
      int[] x,
      int[] starts,
      float[] scales,
      float[] out,
      int first) {
    weights.get(ValueLayout.JAVA_BYTE, offset);
    final long second = COUNT / PAIRS * far + COUNT % PAIRS * 4;
    final int secondOut = COUNT / PAIRS * ROWS + COUNT % PAIRS;
    final long turn = PANELS * far - 8 * step;
    long begin = offset;
    for (int block = 0; block < blocks; block++) {
      long at = begin;
      int to = first;
      for (int t = 0; t < turns; t++) {
        ShortVector high0 = IntVector.broadcast(INTS, starts[2 * block]).reinterpretAsShorts();
        ShortVector low0 = IntVector.broadcast(INTS, starts[2 * block + 1]).reinterpretAsShorts();
        ShortVector high1 = high0;
        ShortVector low1 = low0;
        int k = 2 * WeightFormat.BLOCK_INPUTS * block;
        for (long end = at + 8 * step; at < end; at += step) {
          ShortVector v =
              IntVector.fromMemorySegment(INTS, weights, at, LITTLE_ENDIAN).reinterpretAsShorts();
          ShortVector w =
              IntVector.fromMemorySegment(INTS, weights, at + second, LITTLE_ENDIAN)
                  .reinterpretAsShorts();
          ShortVector y = IntVector.broadcast(INTS, x[k]).reinterpretAsShorts();
          high0 = v.mul(y).add(high0);
          high1 = w.mul(y).add(high1);
          y = IntVector.broadcast(INTS, x[k + 1]).reinterpretAsShorts();
          low0 = v.mul(y).add(low0);
          low1 = w.mul(y).add(low1);
          v = v.lanewise(LSHR, 4);
          w = w.lanewise(LSHR, 4);
          y = IntVector.broadcast(INTS, x[k + 2]).reinterpretAsShorts();
          high0 = v.mul(y).add(high0);
          high1 = w.mul(y).add(high1);
          y = IntVector.broadcast(INTS, x[k + 3]).reinterpretAsShorts();
          low0 = v.mul(y).add(low0);
          low1 = w.mul(y).add(low1);
          v = v.lanewise(LSHR, 4);
          w = w.lanewise(LSHR, 4);
          y = IntVector.broadcast(INTS, x[k + 4]).reinterpretAsShorts();
          high0 = v.mul(y).add(high0);
          high1 = w.mul(y).add(high1);
          y = IntVector.broadcast(INTS, x[k + 5]).reinterpretAsShorts();
          low0 = v.mul(y).add(low0);
          low1 = w.mul(y).add(low1);
          v = v.lanewise(LSHR, 4);
          w = w.lanewise(LSHR, 4);
          y = IntVector.broadcast(INTS, x[k + 6]).reinterpretAsShorts();
          high0 = v.mul(y).add(high0);
          high1 = w.mul(y).add(high1);
          y = IntVector.broadcast(INTS, x[k + 7]).reinterpretAsShorts();
          low0 = v.mul(y).add(low0);
          low1 = w.mul(y).add(low1);
          k += 8;
        }
        FloatVector scale = FloatVector.broadcast(FLOATS, scales[block]);
        IntVector s = IntVector.fromMemorySegment(INTS, weights, at, LITTLE_ENDIAN);
        IntVector high = high0.reinterpretAsInts();
        IntVector low = low0.reinterpretAsInts();
        IntVector whole =
            high.lanewise(LSHL, 16)
                .lanewise(ASHR, 16)
                .mul(PanelRows.UNIT)
                .add(low.lanewise(LSHL, 16).lanewise(ASHR, 16));
        ((FloatVector) whole.convert(I2F, 0))
            .mul(scale)
            .fma(s.lanewise(LSHL, 16).reinterpretAsFloats(), FloatVector.fromArray(FLOATS, out, to))
            .intoArray(out, to);
        whole = high.lanewise(ASHR, 16).mul(PanelRows.UNIT).add(low.lanewise(ASHR, 16));
        ((FloatVector) whole.convert(I2F, 0))
            .mul(scale)
            .fma(
                s.and(0xFFFF0000).reinterpretAsFloats(),
                FloatVector.fromArray(FLOATS, out, to + PAIRS))
            .intoArray(out, to + PAIRS);
        s = IntVector.fromMemorySegment(INTS, weights, at + second, LITTLE_ENDIAN);
        high = high1.reinterpretAsInts();
        low = low1.reinterpretAsInts();
        whole =
            high.lanewise(LSHL, 16)
                .lanewise(ASHR, 16)
                .mul(PanelRows.UNIT)
                .add(low.lanewise(LSHL, 16).lanewise(ASHR, 16));
        ((FloatVector) whole.convert(I2F, 0))
            .mul(scale)
            .fma(
                s.lanewise(LSHL, 16).reinterpretAsFloats(),
                FloatVector.fromArray(FLOATS, out, to + secondOut))
            .intoArray(out, to + secondOut);
        whole = high.lanewise(ASHR, 16).mul(PanelRows.UNIT).add(low.lanewise(ASHR, 16));
        ((FloatVector) whole.convert(I2F, 0))
            .mul(scale)
            .fma(
                s.and(0xFFFF0000).reinterpretAsFloats(),
                FloatVector.fromArray(FLOATS, out, to + secondOut + PAIRS))
            .intoArray(out, to + secondOut + PAIRS);
        at += turn;
        to += ROWS * PANELS;
      }
      // Behind the scales, which take as much as a group.
      begin += 9 * step;
    }
  }

  @Override
  void widen(MemorySegment weights, long offset, float[] widened, int to) {
    widenWeights(weights, offset, widened, to);
    widenScales(weights, offset + SCALES, widened, to + ROWS * WeightFormat.BLOCK_INPUTS);
  }

  private static void widenWeights(MemorySegment weights, long offset, float[] widened, int to) {
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
  }
}
