package dev.muninn.train;

import dev.muninn.kernel.Lanes;
import dev.muninn.kernel.RowKernels;
import dev.muninn.kernel.ScalarKernels;
import jdk.incubator.vector.FloatVector;

/**
 * The backward of what {@link RowKernels} does to a row. Sums are added up in one fixed order; the
 * scalar twins, which give the same bits, are in {@link ScalarGradientKernels}.
 */
final class GradientKernels {
  private final float[] lanes = new float[Lanes.COUNT];

  /**
   * Backward of {@link RowKernels#norm}: with n = 1 / sqrt(mean(x^2) + epsilon) and g = dy weight,
   * {@code dx = n g - n^3 mean(g x) x} and {@code dWeight += dy n x}.
   *
   * @param x the norm's input at {@code from}
   * @param dy gradient of its output at {@code dyFrom}
   * @param dx gets the gradient of the input at {@code to}; may be {@code dy} at the same place
   * @param add whether the gradient is added to what stands in {@code dx}
   */
  void normBackward(
      float[] x,
      int from,
      float[] weight,
      float epsilon,
      float[] dy,
      int dyFrom,
      float[] dx,
      int to,
      float[] dWeight,
      int size,
      boolean add) {
    int bound = Lanes.FLOATS.loopBound(size);
    FloatVector squareSum = FloatVector.zero(Lanes.FLOATS);
    FloatVector productSum = squareSum;
    for (int i = 0; i < bound; i += Lanes.COUNT) {
      FloatVector v = FloatVector.fromArray(Lanes.FLOATS, x, from + i);
      FloatVector g =
          FloatVector.fromArray(Lanes.FLOATS, dy, dyFrom + i)
              .mul(FloatVector.fromArray(Lanes.FLOATS, weight, i));
      squareSum = v.fma(v, squareSum);
      productSum = g.fma(v, productSum);
    }
    squareSum.intoArray(lanes, 0);
    float squares = ScalarKernels.sum(lanes);
    productSum.intoArray(lanes, 0);
    float products = ScalarKernels.sum(lanes);
    for (int i = bound; i < size; i++) {
      squares = Math.fma(x[from + i], x[from + i], squares);
      products = Math.fma(dy[dyFrom + i] * weight[i], x[from + i], products);
    }
    float scale = (float) (1 / Math.sqrt(squares / size + epsilon));
    float factor = -scale * scale * scale * (products / size);
    for (int i = 0; i < bound; i += Lanes.COUNT) {
      FloatVector v = FloatVector.fromArray(Lanes.FLOATS, x, from + i);
      FloatVector d = FloatVector.fromArray(Lanes.FLOATS, dy, dyFrom + i);
      d.mul(scale).fma(v, FloatVector.fromArray(Lanes.FLOATS, dWeight, i)).intoArray(dWeight, i);
      FloatVector result =
          d.mul(FloatVector.fromArray(Lanes.FLOATS, weight, i)).mul(scale).add(v.mul(factor));
      if (add) {
        result = result.add(FloatVector.fromArray(Lanes.FLOATS, dx, to + i));
      }
      result.intoArray(dx, to + i);
    }
    ScalarGradientKernels.normBackward(
        x, from, weight, scale, factor, dy, dyFrom, dx, to, dWeight, bound, size, add);
  }

  /**
   * Backward of {@link RowKernels#gate}, which also computes {@code hidden} again.
   *
   * @param dHidden gradient of the hidden values at {@code dFrom}
   * @param hidden gets the hidden values at {@code to}
   * @param dGateUp gets the gradient of the gate at {@code dGateFrom} and that of up behind it
   */
  static void gateBackward(
      float[] gateUp,
      int gateFrom,
      int upFrom,
      float[] dHidden,
      int dFrom,
      float[] hidden,
      int to,
      float[] dGateUp,
      int dGateFrom,
      int size) {
    int dUpFrom = dGateFrom + size;
    int bound = Lanes.FLOATS.loopBound(size);
    for (int i = 0; i < bound; i += Lanes.COUNT) {
      FloatVector.fromArray(Lanes.FLOATS, gateUp, gateFrom + i).neg().intoArray(hidden, to + i);
    }
    RowKernels.exponentials(hidden, to, bound);
    for (int i = 0; i < bound; i += Lanes.COUNT) {
      FloatVector gate = FloatVector.fromArray(Lanes.FLOATS, gateUp, gateFrom + i);
      FloatVector up = FloatVector.fromArray(Lanes.FLOATS, gateUp, upFrom + i);
      FloatVector d = FloatVector.fromArray(Lanes.FLOATS, dHidden, dFrom + i);
      FloatVector below = FloatVector.fromArray(Lanes.FLOATS, hidden, to + i).add(1);
      FloatVector activated = gate.div(below);
      FloatVector sigmoid = FloatVector.broadcast(Lanes.FLOATS, 1).div(below);
      activated.mul(up).intoArray(hidden, to + i);
      activated.mul(d).intoArray(dGateUp, dUpFrom + i);
      sigmoid
          .add(activated.sub(activated.mul(sigmoid)))
          .mul(up)
          .mul(d)
          .intoArray(dGateUp, dGateFrom + i);
    }
    ScalarGradientKernels.gateBackward(
        gateUp, gateFrom, upFrom, dHidden, dFrom, hidden, to, dGateUp, dGateFrom, bound, size);
  }

  /**
   * Backward of a softmax over scaled scores: {@code d = scale p (d - sum of p d)}.
   *
   * @param p the probabilities at {@code from}
   * @param d gradient of the probabilities at {@code dFrom}; gets that of the scores
   */
  void softmaxBackward(float[] p, int from, float[] d, int dFrom, int size, float scale) {
    int bound = Lanes.FLOATS.loopBound(size);
    FloatVector sum = FloatVector.zero(Lanes.FLOATS);
    for (int i = 0; i < bound; i += Lanes.COUNT) {
      sum =
          FloatVector.fromArray(Lanes.FLOATS, p, from + i)
              .fma(FloatVector.fromArray(Lanes.FLOATS, d, dFrom + i), sum);
    }
    sum.intoArray(lanes, 0);
    float total = ScalarKernels.sum(lanes);
    for (int i = bound; i < size; i++) {
      total = Math.fma(p[from + i], d[dFrom + i], total);
    }
    for (int i = 0; i < bound; i += Lanes.COUNT) {
      FloatVector.fromArray(Lanes.FLOATS, d, dFrom + i)
          .sub(total)
          .mul(FloatVector.fromArray(Lanes.FLOATS, p, from + i))
          .mul(scale)
          .intoArray(d, dFrom + i);
    }
    for (int i = bound; i < size; i++) {
      d[dFrom + i] = (d[dFrom + i] - total) * p[from + i] * scale;
    }
  }

  /** {@code x *= factor}. */
  static void scale(float[] x, int from, int size, float factor) {
    for (int i = from; i < from + size; i++) {
      x[i] *= factor;
    }
  }
}
