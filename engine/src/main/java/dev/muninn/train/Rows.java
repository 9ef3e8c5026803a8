package dev.muninn.train;

/**
 * Rows of floats that stand in an array, row-major: element (r, c) is at {@code from + r * stride +
 * c}. Several of these may look at parts of the same array.
 *
 * @param data where the values stand
 * @param from index of the first value
 * @param rows number of rows
 * @param columns values of a row
 * @param stride from the beginning of one row to that of the next, at least {@code columns}
 */
record Rows(float[] data, int from, int rows, int columns, int stride) {

  Rows {
    if (rows > 0 && columns > 0) {
      long last = from + (long) (rows - 1) * stride + columns - 1;
      if (from < 0 || stride < columns || last >= data.length) {
        throw new IllegalArgumentException(
            rows + " x " + columns + " values from " + from + " on, of " + data.length);
      }
    }
  }

  /** Rows that follow each other without a gap from the beginning of an array on. */
  static Rows of(float[] data, int rows, int columns) {
    return new Rows(data, 0, rows, columns, columns);
  }

  /** Some of the columns. */
  Rows columns(int first, int count) {
    return new Rows(data, from + first, rows, count, stride);
  }

  /** Some of the rows. */
  Rows rows(int first, int count) {
    return new Rows(data, from + first * stride, count, columns, stride);
  }
}
