package dev.muninn.backend;

/**
 * Compares next-token distributions with earlier ones where a coda computes them, so that no logits
 * have to leave the device. A distribution is kept in a place, in which the next one of the same
 * sequence finds it; {@link RowBatch#setCompared} asks for it. Not thread-safe.
 */
public interface LogitComparison {
  /** Index of the likeliest token, of several the lowest. */
  int LIKELIEST = 0;

  /** Index of the entropy, the sum of {@code -p log(p + 1e-10)}. */
  int ENTROPY = 1;

  /**
   * Index of KL(q || p), where q was kept, or is uniform if nothing was. Of a row that counts
   * likely tokens only, q and p are what {@link RowBatch#setCompared} says.
   */
  int DIVERGENCE = 2;

  /** Values of a row. */
  int SUMS = 3;

  /** Takes neighbouring places in which nothing is kept; their first, or -1 if there is no room. */
  int take(int count);

  /** Gives places back. */
  void give(int first, int count);

  /**
   * Reads what the last coda found of a row that was to be compared.
   *
   * @param sums gets {@link #SUMS} values, from index {@code at} on
   */
  void read(int row, float[] sums, int at);
}
