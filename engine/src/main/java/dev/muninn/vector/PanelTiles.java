package dev.muninn.vector;

import static dev.muninn.kernel.Lanes.COUNT;
import static dev.muninn.kernel.Lanes.FLOATS;

import dev.muninn.model.WeightFormat;
import jdk.incubator.vector.FloatVector;

/**
 * Outer products: widened weights of a panel, input by input, times the four rows of a group. Two
 * vectors of outputs by four rows are as many sums as keep two multipliers busy; with six rows C2
 * no longer has them in 16 registers, which halves the speed.
 *
 * <p>Weights lie [input][32 outputs], results [row][32 outputs]. Every body computes the outputs of
 * two vectors.
 */
final class PanelTiles {
  /** Outputs of a panel. */
  static final int OUTPUTS = 32;

  /** Outputs that a body computes. */
  static final int STEP = 2 * COUNT;

  /** Inputs of a block. */
  private static final int INPUTS = WeightFormat.BLOCK_INPUTS;

  /** Where the scales of widened blocks begin, 32 a block. */
  static final int SCALES = PanelProducts.INPUTS * OUTPUTS;

  /** Floats of widened blocks and their scales. */
  static final int WIDENED = SCALES + PanelProducts.INPUTS / INPUTS * OUTPUTS;

  private PanelTiles() {}

  /**
   * Adds products to the sums of 4 rows.
   *
   * @param weights from {@code from}
   * @param inputs how many
   * @param x values, 4 an input, from {@code at}
   * @param sums from {@code to}, 32 from row to row
   */
  static void add(float[] weights, int from, int inputs, float[] x, int at, float[] sums, int to) {
    FloatVector a0 = FloatVector.fromArray(FLOATS, sums, to);
    FloatVector b0 = FloatVector.fromArray(FLOATS, sums, to + COUNT);
    FloatVector a1 = FloatVector.fromArray(FLOATS, sums, to + 32);
    FloatVector b1 = FloatVector.fromArray(FLOATS, sums, to + 32 + COUNT);
    FloatVector a2 = FloatVector.fromArray(FLOATS, sums, to + 64);
    FloatVector b2 = FloatVector.fromArray(FLOATS, sums, to + 64 + COUNT);
    FloatVector a3 = FloatVector.fromArray(FLOATS, sums, to + 96);
    FloatVector b3 = FloatVector.fromArray(FLOATS, sums, to + 96 + COUNT);
    for (int k = 0; k < inputs; k++) {
      FloatVector u = FloatVector.fromArray(FLOATS, weights, from + 32 * k);
      FloatVector v = FloatVector.fromArray(FLOATS, weights, from + 32 * k + COUNT);
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
    b0.intoArray(sums, to + COUNT);
    a1.intoArray(sums, to + 32);
    b1.intoArray(sums, to + 32 + COUNT);
    a2.intoArray(sums, to + 64);
    b2.intoArray(sums, to + 64 + COUNT);
    a3.intoArray(sums, to + 96);
    b3.intoArray(sums, to + 96 + COUNT);
  }

  /**
   * Adds the products of some blocks, times their scales, to the sums of 4 rows.
   *
   * @param weights of all inputs, and scales, from {@code from}
   * @param starts what the rows' products of a block start from, 4 a block from {@code start}
   */
  static void addBlocks(
      float[] weights,
      int from,
      int blocks,
      float[] x,
      int at,
      float[] starts,
      int start,
      float[] sums,
      int to) {
    int scale = SCALES + from;
    FloatVector c0 = FloatVector.fromArray(FLOATS, sums, to);
    FloatVector d0 = FloatVector.fromArray(FLOATS, sums, to + COUNT);
    FloatVector c1 = FloatVector.fromArray(FLOATS, sums, to + 32);
    FloatVector d1 = FloatVector.fromArray(FLOATS, sums, to + 32 + COUNT);
    FloatVector c2 = FloatVector.fromArray(FLOATS, sums, to + 64);
    FloatVector d2 = FloatVector.fromArray(FLOATS, sums, to + 64 + COUNT);
    FloatVector c3 = FloatVector.fromArray(FLOATS, sums, to + 96);
    FloatVector d3 = FloatVector.fromArray(FLOATS, sums, to + 96 + COUNT);
    for (int block = 0; block < blocks; block++) {
      FloatVector a0 = FloatVector.broadcast(FLOATS, starts[start]);
      FloatVector b0 = a0;
      FloatVector a1 = FloatVector.broadcast(FLOATS, starts[start + 1]);
      FloatVector b1 = a1;
      FloatVector a2 = FloatVector.broadcast(FLOATS, starts[start + 2]);
      FloatVector b2 = a2;
      FloatVector a3 = FloatVector.broadcast(FLOATS, starts[start + 3]);
      FloatVector b3 = a3;
      for (int k = 0; k < INPUTS; k++) {
        FloatVector u = FloatVector.fromArray(FLOATS, weights, from + 32 * k);
        FloatVector v = FloatVector.fromArray(FLOATS, weights, from + 32 * k + COUNT);
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
      FloatVector s = FloatVector.fromArray(FLOATS, weights, scale);
      FloatVector t = FloatVector.fromArray(FLOATS, weights, scale + COUNT);
      c0 = a0.fma(s, c0);
      d0 = b0.fma(t, d0);
      c1 = a1.fma(s, c1);
      d1 = b1.fma(t, d1);
      c2 = a2.fma(s, c2);
      d2 = b2.fma(t, d2);
      c3 = a3.fma(s, c3);
      d3 = b3.fma(t, d3);
      from += INPUTS * OUTPUTS;
      scale += OUTPUTS;
      at += 4 * INPUTS;
      start += 4;
    }
    c0.intoArray(sums, to);
    d0.intoArray(sums, to + COUNT);
    c1.intoArray(sums, to + 32);
    d1.intoArray(sums, to + 32 + COUNT);
    c2.intoArray(sums, to + 64);
    d2.intoArray(sums, to + 64 + COUNT);
    c3.intoArray(sums, to + 96);
    d3.intoArray(sums, to + 96 + COUNT);
  }

  /** Copies numbers times a factor. */
  static void scale(float[] from, int first, int count, float factor, float[] to, int at) {
    int i = 0;
    for (; i < FLOATS.loopBound(count); i += COUNT) {
      FloatVector.fromArray(FLOATS, from, first + i).mul(factor).intoArray(to, at + i);
    }
    for (; i < count; i++) {
      to[at + i] = factor * from[first + i];
    }
  }
}
