package dev.muninn.vector;

import static dev.muninn.kernel.Lanes.COUNT;
import static dev.muninn.kernel.Lanes.FLOATS;
import static dev.muninn.kernel.Lanes.INTS;
import static dev.muninn.vector.SmallIntegers.IN_PLACE;
import static java.nio.ByteOrder.LITTLE_ENDIAN;
import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LSHR;

import dev.muninn.model.WeightFormat;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;

/**
 * Products of 4-bit weights with float activations. An int has four inputs of a row in its lower
 * half, those of the row 16 further in its upper half; all bits stay where they are in their half,
 * and {@link PanelRows} has their activations divided by as much. Where {@link SmallIntegers} says
 * so, they are read as floats without a conversion.
 */
final class Q4Products extends BlockProducts {
  static final Q4Products INSTANCE = new Q4Products();

  private static final int GROUP_BYTES = 64;

  /** Panels that two vectors take. */
  private static final int PANELS = Math.max(1, 2 * COUNT / PAIRS);

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
          x.values,
          x.blockStarts,
          out,
          pair);
    }
  }

  /**
   * Two vectors of ints: a block of each turn's panels after the other.
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
      float[] x,
      float[] starts,
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
        FloatVector low0 = FloatVector.broadcast(FLOATS, starts[block]);
        FloatVector high0 = low0;
        FloatVector low1 = low0;
        FloatVector high1 = low0;
        int k = WeightFormat.BLOCK_INPUTS * block;
        for (long end = at + 8 * step; at < end; at += step) {
          FloatVector y0 = FloatVector.broadcast(FLOATS, x[k]);
          FloatVector y1 = FloatVector.broadcast(FLOATS, x[k + 1]);
          FloatVector y2 = FloatVector.broadcast(FLOATS, x[k + 2]);
          FloatVector y3 = FloatVector.broadcast(FLOATS, x[k + 3]);
          IntVector v = IntVector.fromMemorySegment(INTS, weights, at, LITTLE_ENDIAN);
          IntVector n = v.and(0xF);
          low0 =
              (IN_PLACE ? n.reinterpretAsFloats() : (FloatVector) n.convert(I2F, 0)).fma(y0, low0);
          n = v.and(0xF0);
          low0 =
              (IN_PLACE ? n.reinterpretAsFloats() : (FloatVector) n.convert(I2F, 0)).fma(y1, low0);
          n = v.and(0xF00);
          low0 =
              (IN_PLACE ? n.reinterpretAsFloats() : (FloatVector) n.convert(I2F, 0)).fma(y2, low0);
          n = v.and(0xF000);
          low0 =
              (IN_PLACE ? n.reinterpretAsFloats() : (FloatVector) n.convert(I2F, 0)).fma(y3, low0);
          v = v.lanewise(LSHR, 16);
          n = v.and(0xF);
          high0 =
              (IN_PLACE ? n.reinterpretAsFloats() : (FloatVector) n.convert(I2F, 0)).fma(y0, high0);
          n = v.and(0xF0);
          high0 =
              (IN_PLACE ? n.reinterpretAsFloats() : (FloatVector) n.convert(I2F, 0)).fma(y1, high0);
          n = v.and(0xF00);
          high0 =
              (IN_PLACE ? n.reinterpretAsFloats() : (FloatVector) n.convert(I2F, 0)).fma(y2, high0);
          n = v.and(0xF000);
          high0 =
              (IN_PLACE ? n.reinterpretAsFloats() : (FloatVector) n.convert(I2F, 0)).fma(y3, high0);
          v = IntVector.fromMemorySegment(INTS, weights, at + second, LITTLE_ENDIAN);
          n = v.and(0xF);
          low1 =
              (IN_PLACE ? n.reinterpretAsFloats() : (FloatVector) n.convert(I2F, 0)).fma(y0, low1);
          n = v.and(0xF0);
          low1 =
              (IN_PLACE ? n.reinterpretAsFloats() : (FloatVector) n.convert(I2F, 0)).fma(y1, low1);
          n = v.and(0xF00);
          low1 =
              (IN_PLACE ? n.reinterpretAsFloats() : (FloatVector) n.convert(I2F, 0)).fma(y2, low1);
          n = v.and(0xF000);
          low1 =
              (IN_PLACE ? n.reinterpretAsFloats() : (FloatVector) n.convert(I2F, 0)).fma(y3, low1);
          v = v.lanewise(LSHR, 16);
          n = v.and(0xF);
          high1 =
              (IN_PLACE ? n.reinterpretAsFloats() : (FloatVector) n.convert(I2F, 0)).fma(y0, high1);
          n = v.and(0xF0);
          high1 =
              (IN_PLACE ? n.reinterpretAsFloats() : (FloatVector) n.convert(I2F, 0)).fma(y1, high1);
          n = v.and(0xF00);
          high1 =
              (IN_PLACE ? n.reinterpretAsFloats() : (FloatVector) n.convert(I2F, 0)).fma(y2, high1);
          n = v.and(0xF000);
          high1 =
              (IN_PLACE ? n.reinterpretAsFloats() : (FloatVector) n.convert(I2F, 0)).fma(y3, high1);
          k += 4;
        }
        IntVector s = IntVector.fromMemorySegment(INTS, weights, at, LITTLE_ENDIAN);
        low0.fma(s.lanewise(LSHL, 16).reinterpretAsFloats(), FloatVector.fromArray(FLOATS, out, to))
            .intoArray(out, to);
        high0
            .fma(
                s.and(0xFFFF0000).reinterpretAsFloats(),
                FloatVector.fromArray(FLOATS, out, to + PAIRS))
            .intoArray(out, to + PAIRS);
        s = IntVector.fromMemorySegment(INTS, weights, at + second, LITTLE_ENDIAN);
        low1.fma(
                s.lanewise(LSHL, 16).reinterpretAsFloats(),
                FloatVector.fromArray(FLOATS, out, to + secondOut))
            .intoArray(out, to + secondOut);
        high1
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
  void widen(MemorySegment weights, long offset, int blocks, float[] widened) {
    for (int pair = 0; pair < PAIRS; pair += COUNT) {
      widen(weights, offset + 4L * pair, 8 * blocks, widened, pair);
    }
  }

  private static void widen(
      MemorySegment weights, long offset, int groups, float[] widened, int to) {
    weights.get(ValueLayout.JAVA_BYTE, offset);
    for (int g = 0; g < groups; g++) {
      // Behind every 8 groups are scales.
      long at = offset + (long) GROUP_BYTES * (g + (g >> 3));
      int target = to + 4 * ROWS * g;
      IntVector v = IntVector.fromMemorySegment(INTS, weights, at, LITTLE_ENDIAN);
      IntVector n = v.and(0xF);
      (IN_PLACE ? n.reinterpretAsFloats() : (FloatVector) n.convert(I2F, 0))
          .intoArray(widened, target);
      n = v.and(0xF0);
      (IN_PLACE ? n.reinterpretAsFloats() : (FloatVector) n.convert(I2F, 0))
          .intoArray(widened, target + ROWS);
      n = v.and(0xF00);
      (IN_PLACE ? n.reinterpretAsFloats() : (FloatVector) n.convert(I2F, 0))
          .intoArray(widened, target + 2 * ROWS);
      n = v.and(0xF000);
      (IN_PLACE ? n.reinterpretAsFloats() : (FloatVector) n.convert(I2F, 0))
          .intoArray(widened, target + 3 * ROWS);
      v = v.lanewise(LSHR, 16);
      target += PAIRS;
      n = v.and(0xF);
      (IN_PLACE ? n.reinterpretAsFloats() : (FloatVector) n.convert(I2F, 0))
          .intoArray(widened, target);
      n = v.and(0xF0);
      (IN_PLACE ? n.reinterpretAsFloats() : (FloatVector) n.convert(I2F, 0))
          .intoArray(widened, target + ROWS);
      n = v.and(0xF00);
      (IN_PLACE ? n.reinterpretAsFloats() : (FloatVector) n.convert(I2F, 0))
          .intoArray(widened, target + 2 * ROWS);
      n = v.and(0xF000);
      (IN_PLACE ? n.reinterpretAsFloats() : (FloatVector) n.convert(I2F, 0))
          .intoArray(widened, target + 3 * ROWS);
    }
  }

  @Override
  void add4(
      MemorySegment weights,
      long offset,
      long far,
      int turns,
      int blocks,
      PanelRows x,
      int group,
      float[] sums,
      int apart) {
    Q4Tiles.add4(weights, offset, far, turns, groupBytes, blocks, x, group, sums, apart);
  }

  @Override
  void add8(
      MemorySegment weights,
      long offset,
      long far,
      int turns,
      int blocks,
      PanelRows x,
      int group,
      float[] sums,
      int apart) {
    Q4Tiles.add8(weights, offset, far, turns, groupBytes, blocks, x, group, sums, apart);
  }
}
