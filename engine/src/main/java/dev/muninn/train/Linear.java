package dev.muninn.train;

/**
 * A product with a weight matrix [outputs, inputs], or with some of its input columns: y = x W^T.
 */
final class Linear {
  private final Parameter weight;
  private final int firstInput;
  private final Rows values;
  private final Products.Panels forInput;
  private final Products.Panels forOutput;

  /** The whole matrix. */
  Linear(Parameter weight) {
    this(weight, 0, Math.toIntExact(weight.shape.get(1)));
  }

  /** The columns from {@code firstInput} on. */
  Linear(Parameter weight, int firstInput, int inputs) {
    this.weight = weight;
    this.firstInput = firstInput;
    this.values = all(weight, weight.values).columns(firstInput, inputs);
    this.forInput = Products.Panels.of(inputs, values.rows());
    this.forOutput = Products.Panels.of(values.rows(), inputs);
  }

  private static Rows all(Parameter weight, float[] data) {
    return Rows.of(
        data, Math.toIntExact(weight.shape.get(0)), Math.toIntExact(weight.shape.get(1)));
  }

  /** Takes over the weights' values; after every change of them, before a forward. */
  void refresh() {
    forInput.packTransposed(values);
    forOutput.pack(values);
  }

  /** {@code y = x W^T}. */
  void forward(Products products, Rows x, Rows y) {
    products.multiply(x, forInput, y);
  }

  /** {@code y += x W^T}. */
  void forwardAdd(Products products, Rows x, Rows y) {
    products.multiplyAdd(x, forInput, y);
  }

  /** {@code dx = dy W}. */
  void backwardInput(Products products, Rows dy, Rows dx) {
    products.multiply(dy, forOutput, dx);
  }

  /** {@code dW += dy^T x}. */
  void backwardWeight(Products products, Rows dy, Rows x, int thread) {
    Rows gradient = all(weight, weight.gradient(thread)).columns(firstInput, values.columns());
    products.multiplyTransposedAdd(dy, x, gradient);
  }
}
