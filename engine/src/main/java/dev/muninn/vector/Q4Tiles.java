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
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;

/**
 * Products of 4-bit weights with a few rows, on vectors of 16 lanes: weights are widened on the way
 * as in {@link Q4Products}. Eight rows share the widening. Sums of a block are in registers, which
 * have no room for sums of whole rows: these are in memory.
 *
 * <p>Activations advance by a step that C2 does not know. Else it begins a turn by reading all of
 * them, and has no registers left.
 */
final class Q4Tiles {
  private static final int ROWS = WeightFormat.PANEL_ROWS;

  private Q4Tiles() {}

  /** Four rows: a group of {@code x}, as {@link BlockProducts#add4}. */
  static void add4(
      MemorySegment weights,
      long offset,
      long far,
      int turns,
      long step,
      int blocks,
      PanelRows x,
      int group,
      float[] sums,
      int apart) {
    weights.get(ValueLayout.JAVA_BYTE, offset);
    final float[] values = x.values;
    final float[] starts = x.blockStarts;
    final int wide = x.step();
    final long next = far - 8 * step;
    int first0 = x.offset(group, 0);
    int start0 = x.blockOffset(group, 0);
    for (int block = 0; block < blocks; block++) {
      long at = offset;
      int to = ROWS * PanelRows.GROUP * group;
      for (int turn = 0; turn < turns; turn++) {
        FloatVector a0 = FloatVector.broadcast(FLOATS, starts[start0]);
        FloatVector b0 = a0;
        FloatVector a1 = FloatVector.broadcast(FLOATS, starts[start0 + 1]);
        FloatVector b1 = a1;
        FloatVector a2 = FloatVector.broadcast(FLOATS, starts[start0 + 2]);
        FloatVector b2 = a2;
        FloatVector a3 = FloatVector.broadcast(FLOATS, starts[start0 + 3]);
        FloatVector b3 = a3;
        int k0 = first0;
        for (long end = at + 8 * step; at < end; at += step) {
          IntVector v = IntVector.fromMemorySegment(INTS, weights, at, LITTLE_ENDIAN);
          IntVector w = v.lanewise(LSHR, 16);
          IntVector n = v.and(0xF);
          FloatVector p = IN_PLACE ? n.reinterpretAsFloats() : (FloatVector) n.convert(I2F, 0);
          n = w.and(0xF);
          FloatVector q = IN_PLACE ? n.reinterpretAsFloats() : (FloatVector) n.convert(I2F, 0);
          FloatVector y = FloatVector.broadcast(FLOATS, values[k0]);
          a0 = p.fma(y, a0);
          b0 = q.fma(y, b0);
          y = FloatVector.broadcast(FLOATS, values[k0 + 1]);
          a1 = p.fma(y, a1);
          b1 = q.fma(y, b1);
          y = FloatVector.broadcast(FLOATS, values[k0 + 2]);
          a2 = p.fma(y, a2);
          b2 = q.fma(y, b2);
          y = FloatVector.broadcast(FLOATS, values[k0 + 3]);
          a3 = p.fma(y, a3);
          b3 = q.fma(y, b3);
          k0 += wide;
          n = v.and(0xF0);
          p = IN_PLACE ? n.reinterpretAsFloats() : (FloatVector) n.convert(I2F, 0);
          n = w.and(0xF0);
          q = IN_PLACE ? n.reinterpretAsFloats() : (FloatVector) n.convert(I2F, 0);
          y = FloatVector.broadcast(FLOATS, values[k0]);
          a0 = p.fma(y, a0);
          b0 = q.fma(y, b0);
          y = FloatVector.broadcast(FLOATS, values[k0 + 1]);
          a1 = p.fma(y, a1);
          b1 = q.fma(y, b1);
          y = FloatVector.broadcast(FLOATS, values[k0 + 2]);
          a2 = p.fma(y, a2);
          b2 = q.fma(y, b2);
          y = FloatVector.broadcast(FLOATS, values[k0 + 3]);
          a3 = p.fma(y, a3);
          b3 = q.fma(y, b3);
          k0 += wide;
          n = v.and(0xF00);
          p = IN_PLACE ? n.reinterpretAsFloats() : (FloatVector) n.convert(I2F, 0);
          n = w.and(0xF00);
          q = IN_PLACE ? n.reinterpretAsFloats() : (FloatVector) n.convert(I2F, 0);
          y = FloatVector.broadcast(FLOATS, values[k0]);
          a0 = p.fma(y, a0);
          b0 = q.fma(y, b0);
          y = FloatVector.broadcast(FLOATS, values[k0 + 1]);
          a1 = p.fma(y, a1);
          b1 = q.fma(y, b1);
          y = FloatVector.broadcast(FLOATS, values[k0 + 2]);
          a2 = p.fma(y, a2);
          b2 = q.fma(y, b2);
          y = FloatVector.broadcast(FLOATS, values[k0 + 3]);
          a3 = p.fma(y, a3);
          b3 = q.fma(y, b3);
          k0 += wide;
          n = v.and(0xF000);
          p = IN_PLACE ? n.reinterpretAsFloats() : (FloatVector) n.convert(I2F, 0);
          n = w.and(0xF000);
          q = IN_PLACE ? n.reinterpretAsFloats() : (FloatVector) n.convert(I2F, 0);
          y = FloatVector.broadcast(FLOATS, values[k0]);
          a0 = p.fma(y, a0);
          b0 = q.fma(y, b0);
          y = FloatVector.broadcast(FLOATS, values[k0 + 1]);
          a1 = p.fma(y, a1);
          b1 = q.fma(y, b1);
          y = FloatVector.broadcast(FLOATS, values[k0 + 2]);
          a2 = p.fma(y, a2);
          b2 = q.fma(y, b2);
          y = FloatVector.broadcast(FLOATS, values[k0 + 3]);
          a3 = p.fma(y, a3);
          b3 = q.fma(y, b3);
          k0 += wide;
        }
        IntVector scales = IntVector.fromMemorySegment(INTS, weights, at, LITTLE_ENDIAN);
        FloatVector s = scales.lanewise(LSHL, 16).reinterpretAsFloats();
        FloatVector t = scales.and(0xFFFF0000).reinterpretAsFloats();
        a0.fma(s, FloatVector.fromArray(FLOATS, sums, to)).intoArray(sums, to);
        b0.fma(t, FloatVector.fromArray(FLOATS, sums, to + COUNT)).intoArray(sums, to + COUNT);
        a1.fma(s, FloatVector.fromArray(FLOATS, sums, to + 32)).intoArray(sums, to + 32);
        b1.fma(t, FloatVector.fromArray(FLOATS, sums, to + 32 + COUNT))
            .intoArray(sums, to + 32 + COUNT);
        a2.fma(s, FloatVector.fromArray(FLOATS, sums, to + 64)).intoArray(sums, to + 64);
        b2.fma(t, FloatVector.fromArray(FLOATS, sums, to + 64 + COUNT))
            .intoArray(sums, to + 64 + COUNT);
        a3.fma(s, FloatVector.fromArray(FLOATS, sums, to + 96)).intoArray(sums, to + 96);
        b3.fma(t, FloatVector.fromArray(FLOATS, sums, to + 96 + COUNT))
            .intoArray(sums, to + 96 + COUNT);
        at += next;
        to += apart;
      }
      // Behind the scales, which take as much as a group.
      offset += 9 * step;
      first0 += WeightFormat.BLOCK_INPUTS * wide;
      start0 += wide;
    }
  }

  /** Eight rows: two groups of {@code x}, as {@link BlockProducts#add8}. */
  static void add8(
      MemorySegment weights,
      long offset,
      long far,
      int turns,
      long step,
      int blocks,
      PanelRows x,
      int group,
      float[] sums,
      int apart) {
    weights.get(ValueLayout.JAVA_BYTE, offset);
    final float[] values = x.values;
    final float[] starts = x.blockStarts;
    final int wide = x.step();
    final long next = far - 8 * step;
    int first0 = x.offset(group, 0);
    int start0 = x.blockOffset(group, 0);
    int first1 = x.offset(group + 1, 0);
    int start1 = x.blockOffset(group + 1, 0);
    for (int block = 0; block < blocks; block++) {
      long at = offset;
      int to = ROWS * PanelRows.GROUP * group;
      for (int turn = 0; turn < turns; turn++) {
        FloatVector a0 = FloatVector.broadcast(FLOATS, starts[start0]);
        FloatVector b0 = a0;
        FloatVector a1 = FloatVector.broadcast(FLOATS, starts[start0 + 1]);
        FloatVector b1 = a1;
        FloatVector a2 = FloatVector.broadcast(FLOATS, starts[start0 + 2]);
        FloatVector b2 = a2;
        FloatVector a3 = FloatVector.broadcast(FLOATS, starts[start0 + 3]);
        FloatVector b3 = a3;
        FloatVector a4 = FloatVector.broadcast(FLOATS, starts[start1]);
        FloatVector b4 = a4;
        FloatVector a5 = FloatVector.broadcast(FLOATS, starts[start1 + 1]);
        FloatVector b5 = a5;
        FloatVector a6 = FloatVector.broadcast(FLOATS, starts[start1 + 2]);
        FloatVector b6 = a6;
        FloatVector a7 = FloatVector.broadcast(FLOATS, starts[start1 + 3]);
        FloatVector b7 = a7;
        int k0 = first0;
        int k1 = first1;
        for (long end = at + 8 * step; at < end; at += step) {
          IntVector v = IntVector.fromMemorySegment(INTS, weights, at, LITTLE_ENDIAN);
          IntVector w = v.lanewise(LSHR, 16);
          IntVector n = v.and(0xF);
          FloatVector p = IN_PLACE ? n.reinterpretAsFloats() : (FloatVector) n.convert(I2F, 0);
          n = w.and(0xF);
          FloatVector q = IN_PLACE ? n.reinterpretAsFloats() : (FloatVector) n.convert(I2F, 0);
          FloatVector y = FloatVector.broadcast(FLOATS, values[k0]);
          a0 = p.fma(y, a0);
          b0 = q.fma(y, b0);
          y = FloatVector.broadcast(FLOATS, values[k0 + 1]);
          a1 = p.fma(y, a1);
          b1 = q.fma(y, b1);
          y = FloatVector.broadcast(FLOATS, values[k0 + 2]);
          a2 = p.fma(y, a2);
          b2 = q.fma(y, b2);
          y = FloatVector.broadcast(FLOATS, values[k0 + 3]);
          a3 = p.fma(y, a3);
          b3 = q.fma(y, b3);
          y = FloatVector.broadcast(FLOATS, values[k1]);
          a4 = p.fma(y, a4);
          b4 = q.fma(y, b4);
          y = FloatVector.broadcast(FLOATS, values[k1 + 1]);
          a5 = p.fma(y, a5);
          b5 = q.fma(y, b5);
          y = FloatVector.broadcast(FLOATS, values[k1 + 2]);
          a6 = p.fma(y, a6);
          b6 = q.fma(y, b6);
          y = FloatVector.broadcast(FLOATS, values[k1 + 3]);
          a7 = p.fma(y, a7);
          b7 = q.fma(y, b7);
          k0 += wide;
          k1 += wide;
          n = v.and(0xF0);
          p = IN_PLACE ? n.reinterpretAsFloats() : (FloatVector) n.convert(I2F, 0);
          n = w.and(0xF0);
          q = IN_PLACE ? n.reinterpretAsFloats() : (FloatVector) n.convert(I2F, 0);
          y = FloatVector.broadcast(FLOATS, values[k0]);
          a0 = p.fma(y, a0);
          b0 = q.fma(y, b0);
          y = FloatVector.broadcast(FLOATS, values[k0 + 1]);
          a1 = p.fma(y, a1);
          b1 = q.fma(y, b1);
          y = FloatVector.broadcast(FLOATS, values[k0 + 2]);
          a2 = p.fma(y, a2);
          b2 = q.fma(y, b2);
          y = FloatVector.broadcast(FLOATS, values[k0 + 3]);
          a3 = p.fma(y, a3);
          b3 = q.fma(y, b3);
          y = FloatVector.broadcast(FLOATS, values[k1]);
          a4 = p.fma(y, a4);
          b4 = q.fma(y, b4);
          y = FloatVector.broadcast(FLOATS, values[k1 + 1]);
          a5 = p.fma(y, a5);
          b5 = q.fma(y, b5);
          y = FloatVector.broadcast(FLOATS, values[k1 + 2]);
          a6 = p.fma(y, a6);
          b6 = q.fma(y, b6);
          y = FloatVector.broadcast(FLOATS, values[k1 + 3]);
          a7 = p.fma(y, a7);
          b7 = q.fma(y, b7);
          k0 += wide;
          k1 += wide;
          n = v.and(0xF00);
          p = IN_PLACE ? n.reinterpretAsFloats() : (FloatVector) n.convert(I2F, 0);
          n = w.and(0xF00);
          q = IN_PLACE ? n.reinterpretAsFloats() : (FloatVector) n.convert(I2F, 0);
          y = FloatVector.broadcast(FLOATS, values[k0]);
          a0 = p.fma(y, a0);
          b0 = q.fma(y, b0);
          y = FloatVector.broadcast(FLOATS, values[k0 + 1]);
          a1 = p.fma(y, a1);
          b1 = q.fma(y, b1);
          y = FloatVector.broadcast(FLOATS, values[k0 + 2]);
          a2 = p.fma(y, a2);
          b2 = q.fma(y, b2);
          y = FloatVector.broadcast(FLOATS, values[k0 + 3]);
          a3 = p.fma(y, a3);
          b3 = q.fma(y, b3);
          y = FloatVector.broadcast(FLOATS, values[k1]);
          a4 = p.fma(y, a4);
          b4 = q.fma(y, b4);
          y = FloatVector.broadcast(FLOATS, values[k1 + 1]);
          a5 = p.fma(y, a5);
          b5 = q.fma(y, b5);
          y = FloatVector.broadcast(FLOATS, values[k1 + 2]);
          a6 = p.fma(y, a6);
          b6 = q.fma(y, b6);
          y = FloatVector.broadcast(FLOATS, values[k1 + 3]);
          a7 = p.fma(y, a7);
          b7 = q.fma(y, b7);
          k0 += wide;
          k1 += wide;
          n = v.and(0xF000);
          p = IN_PLACE ? n.reinterpretAsFloats() : (FloatVector) n.convert(I2F, 0);
          n = w.and(0xF000);
          q = IN_PLACE ? n.reinterpretAsFloats() : (FloatVector) n.convert(I2F, 0);
          y = FloatVector.broadcast(FLOATS, values[k0]);
          a0 = p.fma(y, a0);
          b0 = q.fma(y, b0);
          y = FloatVector.broadcast(FLOATS, values[k0 + 1]);
          a1 = p.fma(y, a1);
          b1 = q.fma(y, b1);
          y = FloatVector.broadcast(FLOATS, values[k0 + 2]);
          a2 = p.fma(y, a2);
          b2 = q.fma(y, b2);
          y = FloatVector.broadcast(FLOATS, values[k0 + 3]);
          a3 = p.fma(y, a3);
          b3 = q.fma(y, b3);
          y = FloatVector.broadcast(FLOATS, values[k1]);
          a4 = p.fma(y, a4);
          b4 = q.fma(y, b4);
          y = FloatVector.broadcast(FLOATS, values[k1 + 1]);
          a5 = p.fma(y, a5);
          b5 = q.fma(y, b5);
          y = FloatVector.broadcast(FLOATS, values[k1 + 2]);
          a6 = p.fma(y, a6);
          b6 = q.fma(y, b6);
          y = FloatVector.broadcast(FLOATS, values[k1 + 3]);
          a7 = p.fma(y, a7);
          b7 = q.fma(y, b7);
          k0 += wide;
          k1 += wide;
        }
        IntVector scales = IntVector.fromMemorySegment(INTS, weights, at, LITTLE_ENDIAN);
        FloatVector s = scales.lanewise(LSHL, 16).reinterpretAsFloats();
        FloatVector t = scales.and(0xFFFF0000).reinterpretAsFloats();
        a0.fma(s, FloatVector.fromArray(FLOATS, sums, to)).intoArray(sums, to);
        b0.fma(t, FloatVector.fromArray(FLOATS, sums, to + COUNT)).intoArray(sums, to + COUNT);
        a1.fma(s, FloatVector.fromArray(FLOATS, sums, to + 32)).intoArray(sums, to + 32);
        b1.fma(t, FloatVector.fromArray(FLOATS, sums, to + 32 + COUNT))
            .intoArray(sums, to + 32 + COUNT);
        a2.fma(s, FloatVector.fromArray(FLOATS, sums, to + 64)).intoArray(sums, to + 64);
        b2.fma(t, FloatVector.fromArray(FLOATS, sums, to + 64 + COUNT))
            .intoArray(sums, to + 64 + COUNT);
        a3.fma(s, FloatVector.fromArray(FLOATS, sums, to + 96)).intoArray(sums, to + 96);
        b3.fma(t, FloatVector.fromArray(FLOATS, sums, to + 96 + COUNT))
            .intoArray(sums, to + 96 + COUNT);
        a4.fma(s, FloatVector.fromArray(FLOATS, sums, to + 128)).intoArray(sums, to + 128);
        b4.fma(t, FloatVector.fromArray(FLOATS, sums, to + 128 + COUNT))
            .intoArray(sums, to + 128 + COUNT);
        a5.fma(s, FloatVector.fromArray(FLOATS, sums, to + 160)).intoArray(sums, to + 160);
        b5.fma(t, FloatVector.fromArray(FLOATS, sums, to + 160 + COUNT))
            .intoArray(sums, to + 160 + COUNT);
        a6.fma(s, FloatVector.fromArray(FLOATS, sums, to + 192)).intoArray(sums, to + 192);
        b6.fma(t, FloatVector.fromArray(FLOATS, sums, to + 192 + COUNT))
            .intoArray(sums, to + 192 + COUNT);
        a7.fma(s, FloatVector.fromArray(FLOATS, sums, to + 224)).intoArray(sums, to + 224);
        b7.fma(t, FloatVector.fromArray(FLOATS, sums, to + 224 + COUNT))
            .intoArray(sums, to + 224 + COUNT);
        at += next;
        to += apart;
      }
      // Behind the scales, which take as much as a group.
      offset += 9 * step;
      first0 += WeightFormat.BLOCK_INPUTS * wide;
      start0 += wide;
      first1 += WeightFormat.BLOCK_INPUTS * wide;
      start1 += wide;
    }
  }
}
