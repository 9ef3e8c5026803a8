package dev.muninn.train;

import dev.muninn.kernel.RowKernels;

/** RMSNorm of rows: {@code y = x / sqrt(mean(x^2) + epsilon) * weight}. */
final class Norm {
  private final Parameter weight;
  private final float epsilon;

  Norm(Parameter weight, float epsilon) {
    this.weight = weight;
    this.epsilon = epsilon;
  }

  void forward(Rows x, Rows y) {
    for (int row = 0; row < x.rows(); row++) {
      RowKernels.norm(
          x.data(),
          x.from() + row * x.stride(),
          weight.values,
          epsilon,
          y.data(),
          y.from() + row * y.stride(),
          x.columns());
    }
  }

  /** Sets {@code dx}, which may be {@code dy}. */
  void backward(Workspace space, Rows x, Rows dy, Rows dx) {
    backward(space, x, dy, dx, false);
  }

  /** Adds to {@code dx}. */
  void backwardAdd(Workspace space, Rows x, Rows dy, Rows dx) {
    backward(space, x, dy, dx, true);
  }

  private void backward(Workspace space, Rows x, Rows dy, Rows dx, boolean add) {
    for (int row = 0; row < x.rows(); row++) {
      space.kernels.normBackward(
          x.data(),
          x.from() + row * x.stride(),
          weight.values,
          epsilon,
          dy.data(),
          dy.from() + row * dy.stride(),
          dx.data(),
          dx.from() + row * dx.stride(),
          weight.gradient(space.thread),
          x.columns(),
          add);
    }
  }
}
