package dev.muninn.vector;

import static dev.muninn.kernel.Lanes.BYTES;
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
 * Products of 8-bit weights with float activations. An int has the bytes of four inputs of a row;
 * the second and third stay where they are, and {@link PanelRows} has their activations divided by
 * as much. Where {@link SmallIntegers} says so, they are read as floats without a conversion.
 */
final class Q8Products extends BlockProducts {
  static final Q8Products INSTANCE = new Q8Products();

  private static final int GROUP_BYTES = 4 * ROWS;

  /** Panels that four vectors take. */
  private static final int PANELS = Math.max(1, 4 * COUNT / ROWS);

  private Q8Products() {
    super(WeightFormat.Q8);
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
    for (int row = 0; row < ROWS; row += 4 * COUNT) {
      row(weights, offset, row, far, turns, groupBytes, blocks, x.values, x.blockStarts, out);
    }
  }

  /**
   * Four vectors of rows, from one on: a block of each turn's panels after the other.
   *
   * <p>All is written out: where C2 does not inline a method that takes vectors, they are objects.
   */
  private static void row(
      MemorySegment weights,
      long offset,
      int first,
      long far,
      int turns,
      long step,
      int blocks,
      float[] x,
      float[] starts,
      float[] out) {
    weights.get(ValueLayout.JAVA_BYTE, offset);
    final int row2 = (first + 2 * COUNT) % ROWS;
    final long second = BYTES;
    final long third = 2 * COUNT / ROWS * far + 2 * COUNT % ROWS * 4;
    final long scales0 = 4L * (first % 16 - first);
    final long scales1 = 4L * ((first + COUNT) % 16 - first);
    final long scales2 = 2 * COUNT / ROWS * far + 4L * (row2 % 16 - first);
    final long scales3 = 2 * COUNT / ROWS * far + 4L * ((row2 + COUNT) % 16 - first);
    final int shift0 = first < 16 ? 16 : 0;
    final int shift1 = first + COUNT < 16 ? 16 : 0;
    final int shift2 = row2 < 16 ? 16 : 0;
    final int shift3 = row2 + COUNT < 16 ? 16 : 0;
    final long turn = PANELS * far - 8 * step;
    long begin = offset + 4L * first;
    for (int block = 0; block < blocks; block++) {
      long at = begin;
      int to = first;
      for (int t = 0; t < turns; t++) {
        FloatVector a0 = FloatVector.broadcast(FLOATS, starts[block]);
        FloatVector a1 = a0;
        FloatVector a2 = a0;
        FloatVector a3 = a0;
        int k = WeightFormat.BLOCK_INPUTS * block;
        for (long end = at + 8 * step; at < end; at += step) {
          FloatVector y0 = FloatVector.broadcast(FLOATS, x[k]);
          FloatVector y1 = FloatVector.broadcast(FLOATS, x[k + 1]);
          FloatVector y2 = FloatVector.broadcast(FLOATS, x[k + 2]);
          FloatVector y3 = FloatVector.broadcast(FLOATS, x[k + 3]);
          IntVector v = IntVector.fromMemorySegment(INTS, weights, at, LITTLE_ENDIAN);
          IntVector n = v.and(0xFF);
          a0 = (IN_PLACE ? n.reinterpretAsFloats() : (FloatVector) n.convert(I2F, 0)).fma(y0, a0);
          n = v.and(0xFF00);
          a0 = (IN_PLACE ? n.reinterpretAsFloats() : (FloatVector) n.convert(I2F, 0)).fma(y1, a0);
          n = v.and(0xFF0000);
          a0 = (IN_PLACE ? n.reinterpretAsFloats() : (FloatVector) n.convert(I2F, 0)).fma(y2, a0);
          n = v.lanewise(LSHR, 24);
          a0 = (IN_PLACE ? n.reinterpretAsFloats() : (FloatVector) n.convert(I2F, 0)).fma(y3, a0);
          v = IntVector.fromMemorySegment(INTS, weights, at + second, LITTLE_ENDIAN);
          n = v.and(0xFF);
          a1 = (IN_PLACE ? n.reinterpretAsFloats() : (FloatVector) n.convert(I2F, 0)).fma(y0, a1);
          n = v.and(0xFF00);
          a1 = (IN_PLACE ? n.reinterpretAsFloats() : (FloatVector) n.convert(I2F, 0)).fma(y1, a1);
          n = v.and(0xFF0000);
          a1 = (IN_PLACE ? n.reinterpretAsFloats() : (FloatVector) n.convert(I2F, 0)).fma(y2, a1);
          n = v.lanewise(LSHR, 24);
          a1 = (IN_PLACE ? n.reinterpretAsFloats() : (FloatVector) n.convert(I2F, 0)).fma(y3, a1);
          v = IntVector.fromMemorySegment(INTS, weights, at + third, LITTLE_ENDIAN);
          n = v.and(0xFF);
          a2 = (IN_PLACE ? n.reinterpretAsFloats() : (FloatVector) n.convert(I2F, 0)).fma(y0, a2);
          n = v.and(0xFF00);
          a2 = (IN_PLACE ? n.reinterpretAsFloats() : (FloatVector) n.convert(I2F, 0)).fma(y1, a2);
          n = v.and(0xFF0000);
          a2 = (IN_PLACE ? n.reinterpretAsFloats() : (FloatVector) n.convert(I2F, 0)).fma(y2, a2);
          n = v.lanewise(LSHR, 24);
          a2 = (IN_PLACE ? n.reinterpretAsFloats() : (FloatVector) n.convert(I2F, 0)).fma(y3, a2);
          v = IntVector.fromMemorySegment(INTS, weights, at + third + second, LITTLE_ENDIAN);
          n = v.and(0xFF);
          a3 = (IN_PLACE ? n.reinterpretAsFloats() : (FloatVector) n.convert(I2F, 0)).fma(y0, a3);
          n = v.and(0xFF00);
          a3 = (IN_PLACE ? n.reinterpretAsFloats() : (FloatVector) n.convert(I2F, 0)).fma(y1, a3);
          n = v.and(0xFF0000);
          a3 = (IN_PLACE ? n.reinterpretAsFloats() : (FloatVector) n.convert(I2F, 0)).fma(y2, a3);
          n = v.lanewise(LSHR, 24);
          a3 = (IN_PLACE ? n.reinterpretAsFloats() : (FloatVector) n.convert(I2F, 0)).fma(y3, a3);
          k += 4;
        }
        IntVector s = IntVector.fromMemorySegment(INTS, weights, at + scales0, LITTLE_ENDIAN);
        a0.fma(
                s.lanewise(LSHL, shift0).and(0xFFFF0000).reinterpretAsFloats(),
                FloatVector.fromArray(FLOATS, out, to))
            .intoArray(out, to);
        s = IntVector.fromMemorySegment(INTS, weights, at + scales1, LITTLE_ENDIAN);
        a1.fma(
                s.lanewise(LSHL, shift1).and(0xFFFF0000).reinterpretAsFloats(),
                FloatVector.fromArray(FLOATS, out, to + COUNT))
            .intoArray(out, to + COUNT);
        s = IntVector.fromMemorySegment(INTS, weights, at + scales2, LITTLE_ENDIAN);
        a2.fma(
                s.lanewise(LSHL, shift2).and(0xFFFF0000).reinterpretAsFloats(),
                FloatVector.fromArray(FLOATS, out, to + 2 * COUNT))
            .intoArray(out, to + 2 * COUNT);
        s = IntVector.fromMemorySegment(INTS, weights, at + scales3, LITTLE_ENDIAN);
        a3.fma(
                s.lanewise(LSHL, shift3).and(0xFFFF0000).reinterpretAsFloats(),
                FloatVector.fromArray(FLOATS, out, to + 3 * COUNT))
            .intoArray(out, to + 3 * COUNT);
        at += turn;
        to += ROWS * PANELS;
      }
      // Behind the scales, which take half as much as a group.
      begin += 8 * step + step / 2;
    }
  }

  /** Two vectors at a time, so that there is less to do beside them. */
  @Override
  void widen(MemorySegment weights, long offset, int blocks, float[] widened) {
    for (int row = 0; row < ROWS; row += 2 * COUNT) {
      widen(weights, offset + 4L * row, 8 * blocks, widened, row);
    }
  }

  private static void widen(
      MemorySegment weights, long offset, int groups, float[] widened, int to) {
    weights.get(ValueLayout.JAVA_BYTE, offset);
    for (int g = 0; g < groups; g++) {
      // Behind every 8 groups are scales.
      long at = offset + (long) GROUP_BYTES * g + (g >> 3) * (GROUP_BYTES / 2);
      int target = to + 4 * ROWS * g;
      IntVector v = IntVector.fromMemorySegment(INTS, weights, at, LITTLE_ENDIAN);
      IntVector w = IntVector.fromMemorySegment(INTS, weights, at + BYTES, LITTLE_ENDIAN);
      IntVector n = v.and(0xFF);
      (IN_PLACE ? n.reinterpretAsFloats() : (FloatVector) n.convert(I2F, 0))
          .intoArray(widened, target);
      n = w.and(0xFF);
      (IN_PLACE ? n.reinterpretAsFloats() : (FloatVector) n.convert(I2F, 0))
          .intoArray(widened, target + COUNT);
      n = v.and(0xFF00);
      (IN_PLACE ? n.reinterpretAsFloats() : (FloatVector) n.convert(I2F, 0))
          .intoArray(widened, target + ROWS);
      n = w.and(0xFF00);
      (IN_PLACE ? n.reinterpretAsFloats() : (FloatVector) n.convert(I2F, 0))
          .intoArray(widened, target + ROWS + COUNT);
      n = v.and(0xFF0000);
      (IN_PLACE ? n.reinterpretAsFloats() : (FloatVector) n.convert(I2F, 0))
          .intoArray(widened, target + 2 * ROWS);
      n = w.and(0xFF0000);
      (IN_PLACE ? n.reinterpretAsFloats() : (FloatVector) n.convert(I2F, 0))
          .intoArray(widened, target + 2 * ROWS + COUNT);
      n = v.lanewise(LSHR, 24);
      (IN_PLACE ? n.reinterpretAsFloats() : (FloatVector) n.convert(I2F, 0))
          .intoArray(widened, target + 3 * ROWS);
      n = w.lanewise(LSHR, 24);
      (IN_PLACE ? n.reinterpretAsFloats() : (FloatVector) n.convert(I2F, 0))
          .intoArray(widened, target + 3 * ROWS + COUNT);
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
    Q8Tiles.add4(weights, offset, far, turns, groupBytes, blocks, x, group, sums, apart);
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
    Q8Tiles.add8(weights, offset, far, turns, groupBytes, blocks, x, group, sums, apart);
  }
}
