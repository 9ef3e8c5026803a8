package dev.muninn.train;

/**
 * A product with a weight matrix [outputs, inputs], or with some of its input columns: y = x W^T.
 */
final class Linear {
  private final Parameter weight;
  private final int firstInput;
  private final Rows values;
  private final Rows transposed;

  /** The whole matrix. */
  Linear(Parameter weight) {
    this(weight, 0, Math.toIntExact(weight.shape.get(1)));
  }

  /** The columns from {@code firstInput} on. */
  Linear(Parameter weight, int firstInput, int inputs) {
    this.weight = weight;
    this.firstInput = firstInput;
    this.values = all(weight, weight.values).columns(firstInput, inputs);
    this.transposed = Rows.of(new float[inputs * values.rows()], inputs, values.rows());
  }

  private static Rows all(Parameter weight, float[] data) {
    return Rows.of(
        data, Math.toIntExact(weight.shape.get(0)), Math.toIntExact(weight.shape.get(1)));
  }

  /** Takes over the weights' values; after every change of them, before a forward. */
  void refresh() {
    // In squares, so that both sides stay in the cache.
    int block = 32;
    for (int row = 0; row < values.rows(); row += block) {
      int rows = Math.min(values.rows(), row + block);
      for (int column = 0; column < values.columns(); column++) {
        for (int r = row; r < rows; r++) {
          transposed.data()[column * transposed.stride() + r] =
              values.data()[values.from() + r * values.stride() + column];
        }
      }
    }
  }

  int outputs() {
    return values.rows();
  }

  /** {@code y = x W^T}. */
  void forward(Products products, Rows x, Rows y) {
    products.multiply(x, transposed, y);
  }

  /** {@code y += x W^T}. */
  void forwardAdd(Products products, Rows x, Rows y) {
    products.multiplyAdd(x, transposed, y);
  }

  /** {@code dx = dy W}. */
  void backwardInput(Products products, Rows dy, Rows dx) {
    products.multiply(dy, values, dx);
  }

  /** {@code dx += dy W}. */
  void backwardInputAdd(Products products, Rows dy, Rows dx) {
    products.multiplyAdd(dy, values, dx);
  }

  /** {@code dW += dy^T x}. */
  void backwardWeight(Products products, Rows dy, Rows x, int thread) {
    Rows gradient = all(weight, weight.gradient(thread)).columns(firstInput, values.columns());
    products.multiplyTransposedAdd(dy, x, gradient);
  }
}
