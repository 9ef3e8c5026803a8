package dev.muninn.vector;

import static dev.muninn.vector.Lanes.BYTES;
import static dev.muninn.vector.Lanes.COUNT;
import static dev.muninn.vector.Lanes.FLOATS;
import static dev.muninn.vector.Lanes.INTS;
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

  private Bf16PanelProducts() {
    super(WeightFormat.BF16_PANELS);
  }

  @Override
  int together() {
    return Math.max(1, 4 * COUNT / PAIRS);
  }

  @Override
  void row(MemorySegment weights, long offset, long far, int columns, PanelRows x, float[] out) {
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
  void rows(
      MemorySegment weights, long offset, int columns, PanelRows x, float[] sums, float[] widened) {
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
}
