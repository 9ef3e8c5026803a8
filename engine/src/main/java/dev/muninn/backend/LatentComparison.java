package dev.muninn.backend;

/**
 * Compares the states of row slots with earlier ones where the slots are, so that no state has to
 * leave the device. Not thread-safe.
 */
public interface LatentComparison {
  /** Index of the sum of {@code (s - p)^2} over a state s and the one that was kept, p. */
  int CHANGE = 0;

  /** Index of the sum of {@code (s - p)(s + p)}, by which the squares of s exceed those of p. */
  int GROWTH = 1;

  /** Index of the sum of {@code s^2}. */
  int SQUARE = 2;

  /** Index of the product of s with the weight of the model's exit gate; 0 where it has none. */
  int GATE = 3;

  /** Sums of a row. */
  int SUMS = 4;

  /** Keeps the states of some row slots. */
  void keep(int[] slots, int count);

  /**
   * Compares the states of some row slots with those that were kept, and keeps them in their place.
   *
   * @param sums gets the sums of each slot, [count, {@link #SUMS}]
   */
  void compare(int[] slots, int count, float[] sums);

  /** Copies the state that was kept of a slot, [h]. */
  void readKept(int slot, float[] latent);
}
