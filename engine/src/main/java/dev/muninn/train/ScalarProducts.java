package dev.muninn.train;

/** What {@link Products} compute, in plain loops: their specification. */
final class ScalarProducts {
  private ScalarProducts() {}

  /** {@link Products#multiply} and {@link Products#multiplyAdd}. */
  static void multiply(Rows a, Rows b, Rows c, boolean add) {
    for (int row = 0; row < c.rows(); row++) {
      for (int column = 0; column < c.columns(); column++) {
        int at = c.from() + row * c.stride() + column;
        float sum = add ? c.data()[at] : 0;
        for (int k = 0; k < b.rows(); k++) {
          sum = Math.fma(element(a, row, k), element(b, k, column), sum);
        }
        c.data()[at] = sum;
      }
    }
  }

  /** {@link Products#multiplyTransposed} and {@link Products#multiplyTransposedAdd}. */
  static void multiplyTransposed(Rows a, Rows b, Rows c, boolean add) {
    for (int row = 0; row < c.rows(); row++) {
      for (int column = 0; column < c.columns(); column++) {
        int at = c.from() + row * c.stride() + column;
        float sum = add ? c.data()[at] : 0;
        for (int k = 0; k < b.rows(); k++) {
          sum = Math.fma(element(a, k, row), element(b, k, column), sum);
        }
        c.data()[at] = sum;
      }
    }
  }

  private static float element(Rows rows, int row, int column) {
    return rows.data()[rows.from() + row * rows.stride() + column];
  }
}
