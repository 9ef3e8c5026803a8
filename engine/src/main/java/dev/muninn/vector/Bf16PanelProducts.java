package dev.muninn.vector;

import static dev.muninn.kernel.Lanes.BYTES;
import static dev.muninn.kernel.Lanes.COUNT;
import static dev.muninn.kernel.Lanes.FLOATS;
import static dev.muninn.kernel.Lanes.INTS;
import static java.nio.ByteOrder.LITTLE_ENDIAN;
import static jdk.incubator.vector.VectorOperators.LSHL;

import dev.muninn.model.WeightFormat;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;

/** Products of BF16 panels. An int has a weight of row i in its lower half, of row i + 16 above. */
final class Bf16PanelProducts extends PanelProducts {
  static final Bf16PanelProducts INSTANCE = new Bf16PanelProducts();

  /** Ints of an input. */
  private static final int PAIRS = 16;

  /** Rows up to which weights are widened on the way, twice if need be. */
  private static final int FEW_ROWS = 2 * PanelRows.GROUP;

  private Bf16PanelProducts() {
    super(WeightFormat.BF16_PANELS);
  }

  @Override
  int together() {
    return Math.max(1, 4 * COUNT / PAIRS);
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
    // A single panel is computed more than once.
    row(
        weights,
        offset,
        COUNT / PAIRS * far + COUNT % PAIRS * 4,
        2 * COUNT / PAIRS * far + 2 * COUNT % PAIRS * 4,
        3 * COUNT / PAIRS * far + 3 * COUNT % PAIRS * 4,
        columns,
        x.values,
        out);
  }

  /** Four vectors of ints, at distances from the first. */
  private static void row(
      MemorySegment weights,
      long offset,
      long second,
      long third,
      long fourth,
      int columns,
      float[] x,
      float[] out) {
    weights.get(ValueLayout.JAVA_BYTE, offset);
    FloatVector low0 = FloatVector.zero(FLOATS);
    FloatVector low1 = low0;
    FloatVector low2 = low0;
    FloatVector low3 = low0;
    FloatVector high0 = low0;
    FloatVector high1 = low0;
    FloatVector high2 = low0;
    FloatVector high3 = low0;
    for (int k = 0; k < columns; k++) {
      long at = offset + 64L * k;
      FloatVector y = FloatVector.broadcast(FLOATS, x[k]);
      IntVector v = IntVector.fromMemorySegment(INTS, weights, at, LITTLE_ENDIAN);
      low0 = v.lanewise(LSHL, 16).reinterpretAsFloats().fma(y, low0);
      high0 = v.and(0xFFFF0000).reinterpretAsFloats().fma(y, high0);
      v = IntVector.fromMemorySegment(INTS, weights, at + second, LITTLE_ENDIAN);
      low1 = v.lanewise(LSHL, 16).reinterpretAsFloats().fma(y, low1);
      high1 = v.and(0xFFFF0000).reinterpretAsFloats().fma(y, high1);
      v = IntVector.fromMemorySegment(INTS, weights, at + third, LITTLE_ENDIAN);
      low2 = v.lanewise(LSHL, 16).reinterpretAsFloats().fma(y, low2);
      high2 = v.and(0xFFFF0000).reinterpretAsFloats().fma(y, high2);
      v = IntVector.fromMemorySegment(INTS, weights, at + fourth, LITTLE_ENDIAN);
      low3 = v.lanewise(LSHL, 16).reinterpretAsFloats().fma(y, low3);
      high3 = v.and(0xFFFF0000).reinterpretAsFloats().fma(y, high3);
    }
    low0.intoArray(out, place(0));
    high0.intoArray(out, place(0) + PAIRS);
    low1.intoArray(out, place(COUNT));
    high1.intoArray(out, place(COUNT) + PAIRS);
    low2.intoArray(out, place(2 * COUNT));
    high2.intoArray(out, place(2 * COUNT) + PAIRS);
    low3.intoArray(out, place(3 * COUNT));
    high3.intoArray(out, place(3 * COUNT) + PAIRS);
  }

  /** Where the results of lower halves go, by the number of the int. */
  private static int place(int pair) {
    return pair / PAIRS * PanelTiles.OUTPUTS + pair % PAIRS;
  }

  @Override
  int turns() {
    return 1;
  }

  @Override
  void rows(
      MemorySegment weights,
      long offset,
      long far,
      int turns,
      int columns,
      PanelRows x,
      float[] sums,
      float[] widened) {
    if (ON_THE_WAY || x.rows() <= FEW_ROWS) {
      addOnTheWay(weights, offset, columns, x, sums);
      return;
    }
    for (int first = 0; first < columns; first += INPUTS) {
      int inputs = Math.min(INPUTS, columns - first);
      widen(weights, offset + 64L * first, inputs, widened);
      addAll(widened, first, inputs, x, sums);
    }
  }

  private static void widen(MemorySegment weights, long offset, int inputs, float[] widened) {
    weights.get(ValueLayout.JAVA_BYTE, offset);
    for (int pair = 0; pair < PAIRS; pair += COUNT) {
      long from = offset + pair / COUNT * BYTES;
      for (int k = 0; k < inputs; k++) {
        IntVector v = IntVector.fromMemorySegment(INTS, weights, from + 64L * k, LITTLE_ENDIAN);
        v.lanewise(LSHL, 16).reinterpretAsFloats().intoArray(widened, 32 * k + pair);
        v.and(0xFFFF0000).reinterpretAsFloats().intoArray(widened, 32 * k + PAIRS + pair);
      }
    }
  }

  private static void addOnTheWay(
      MemorySegment weights, long offset, int columns, PanelRows x, float[] sums) {
    for (int group = 0; group < x.groups(); group++) {
      int to = PanelTiles.OUTPUTS * PanelRows.GROUP * group;
      for (int pair = 0; pair < PAIRS; pair += COUNT) {
        add(weights, offset + 4L * pair, columns, x.values, x.offset(group, 0), sums, to + pair);
      }
    }
  }

  /** Adds the products of one vector of ints with 4 rows. */
  private static void add(
      MemorySegment weights, long offset, int inputs, float[] x, int at, float[] sums, int to) {
    weights.get(ValueLayout.JAVA_BYTE, offset);
    FloatVector a0 = FloatVector.fromArray(FLOATS, sums, to);
    FloatVector b0 = FloatVector.fromArray(FLOATS, sums, to + PAIRS);
    FloatVector a1 = FloatVector.fromArray(FLOATS, sums, to + 32);
    FloatVector b1 = FloatVector.fromArray(FLOATS, sums, to + 32 + PAIRS);
    FloatVector a2 = FloatVector.fromArray(FLOATS, sums, to + 64);
    FloatVector b2 = FloatVector.fromArray(FLOATS, sums, to + 64 + PAIRS);
    FloatVector a3 = FloatVector.fromArray(FLOATS, sums, to + 96);
    FloatVector b3 = FloatVector.fromArray(FLOATS, sums, to + 96 + PAIRS);
    for (int k = 0; k < inputs; k++) {
      IntVector pair = IntVector.fromMemorySegment(INTS, weights, offset + 64L * k, LITTLE_ENDIAN);
      FloatVector u = pair.lanewise(LSHL, 16).reinterpretAsFloats();
      FloatVector v = pair.and(0xFFFF0000).reinterpretAsFloats();
      int q = at + 4 * k;
      FloatVector y = FloatVector.broadcast(FLOATS, x[q]);
      a0 = u.fma(y, a0);
      b0 = v.fma(y, b0);
      y = FloatVector.broadcast(FLOATS, x[q + 1]);
      a1 = u.fma(y, a1);
      b1 = v.fma(y, b1);
      y = FloatVector.broadcast(FLOATS, x[q + 2]);
      a2 = u.fma(y, a2);
      b2 = v.fma(y, b2);
      y = FloatVector.broadcast(FLOATS, x[q + 3]);
      a3 = u.fma(y, a3);
      b3 = v.fma(y, b3);
    }
    a0.intoArray(sums, to);
    b0.intoArray(sums, to + PAIRS);
    a1.intoArray(sums, to + 32);
    b1.intoArray(sums, to + 32 + PAIRS);
    a2.intoArray(sums, to + 64);
    b2.intoArray(sums, to + 64 + PAIRS);
    a3.intoArray(sums, to + 96);
    b3.intoArray(sums, to + 96 + PAIRS);
  }
}
