package dev.muninn.train;

import dev.muninn.kernel.Lanes;
import dev.muninn.kernel.ScalarKernels;

/** The scalar twins of {@link GradientKernels}, and what is left where no vector is full. */
final class ScalarGradientKernels {
  private ScalarGradientKernels() {}

  /** {@link GradientKernels#normBackward}. */
  static void normBackward(
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
    float[] squareLanes = new float[Lanes.COUNT];
    float[] productLanes = new float[Lanes.COUNT];
    int bound = size - size % Lanes.COUNT;
    for (int i = 0; i < bound; i++) {
      int lane = i % Lanes.COUNT;
      float g = dy[dyFrom + i] * weight[i];
      squareLanes[lane] = Math.fma(x[from + i], x[from + i], squareLanes[lane]);
      productLanes[lane] = Math.fma(g, x[from + i], productLanes[lane]);
    }
    float squares = ScalarKernels.sum(squareLanes);
    float products = ScalarKernels.sum(productLanes);
    for (int i = bound; i < size; i++) {
      squares = Math.fma(x[from + i], x[from + i], squares);
      products = Math.fma(dy[dyFrom + i] * weight[i], x[from + i], products);
    }
    float scale = (float) (1 / Math.sqrt(squares / size + epsilon));
    float factor = -scale * scale * scale * (products / size);
    normBackward(x, from, weight, scale, factor, dy, dyFrom, dx, to, dWeight, 0, size, add);
  }

  /** The columns from {@code first} on, when the row's two factors are known. */
  static void normBackward(
      float[] x,
      int from,
      float[] weight,
      float scale,
      float factor,
      float[] dy,
      int dyFrom,
      float[] dx,
      int to,
      float[] dWeight,
      int first,
      int size,
      boolean add) {
    for (int i = first; i < size; i++) {
      float d = dy[dyFrom + i];
      dWeight[i] = Math.fma(d * scale, x[from + i], dWeight[i]);
      float result = d * weight[i] * scale + x[from + i] * factor;
      dx[to + i] = add ? result + dx[to + i] : result;
    }
  }

  /** The columns from {@code first} on of {@link GradientKernels#gateBackward}. */
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
      int first,
      int size) {
    for (int i = first; i < size; i++) {
      float gate = gateUp[gateFrom + i];
      float up = gateUp[upFrom + i];
      float d = dHidden[dFrom + i];
      float below = ScalarKernels.exponential(-gate) + 1;
      float activated = gate / below;
      float sigmoid = 1 / below;
      hidden[to + i] = activated * up;
      dGateUp[dGateFrom + size + i] = activated * d;
      dGateUp[dGateFrom + i] = (sigmoid + (activated - activated * sigmoid)) * up * d;
    }
  }

  /** {@link GradientKernels#softmaxBackward}. */
  static void softmaxBackward(float[] p, int from, float[] d, int dFrom, int size, float scale) {
    float[] lanes = new float[Lanes.COUNT];
    int bound = size - size % Lanes.COUNT;
    for (int i = 0; i < bound; i++) {
      lanes[i % Lanes.COUNT] = Math.fma(p[from + i], d[dFrom + i], lanes[i % Lanes.COUNT]);
    }
    float total = ScalarKernels.sum(lanes);
    for (int i = bound; i < size; i++) {
      total = Math.fma(p[from + i], d[dFrom + i], total);
    }
    for (int i = 0; i < size; i++) {
      d[dFrom + i] = (d[dFrom + i] - total) * p[from + i] * scale;
    }
  }
}
