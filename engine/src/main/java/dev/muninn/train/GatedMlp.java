package dev.muninn.train;

import dev.muninn.kernel.RowKernels;

/** The gated MLP: {@code projection(silu(gate) * up)}, gate and up in one product. */
final class GatedMlp {
  final Linear gateUp;
  final Linear projection;

  GatedMlp(Linear gateUp, Linear projection) {
    this.gateUp = gateUp;
    this.projection = projection;
  }

  /** Sets the gate and up of the rows, and adds the MLP's result to {@code y}. */
  void forwardAdd(Workspace space, Rows x, Rows gateUpRows, Rows y) {
    gateUp.forward(space.products, x, gateUpRows);
    Rows hidden = space.hidden(x.rows());
    int size = hidden.columns();
    for (int row = 0; row < x.rows(); row++) {
      int gate = gateUpRows.from() + row * gateUpRows.stride();
      RowKernels.gate(
          gateUpRows.data(), gate, gateUpRows.data(), gate + size, hidden.data(), row * size, size);
    }
    projection.forwardAdd(space.products, hidden, y);
  }

  /**
   * The gradient of the input.
   *
   * @param x the input
   * @param gateUpRows what forward set
   * @param dx gets the gradient; may be {@code x}, which is read before
   */
  void backward(Workspace space, Rows x, Rows gateUpRows, Rows dy, Rows dx) {
    Rows hidden = space.hidden(x.rows());
    Rows hiddenGradient = space.hiddenGradient(x.rows());
    Rows gateUpGradient = space.gateUpGradient(x.rows());
    projection.backwardInput(space.products, dy, hiddenGradient);
    int size = hidden.columns();
    for (int row = 0; row < x.rows(); row++) {
      int gate = gateUpRows.from() + row * gateUpRows.stride();
      GradientKernels.gateBackward(
          gateUpRows.data(),
          gate,
          gate + size,
          hiddenGradient.data(),
          row * size,
          hidden.data(),
          row * size,
          gateUpGradient.data(),
          row * 2 * size,
          size);
    }
    projection.backwardWeight(space.products, dy, hidden, space.thread);
    gateUp.backwardWeight(space.products, gateUpGradient, x, space.thread);
    gateUp.backwardInput(space.products, gateUpGradient, dx);
  }
}
