package dev.muninn.model;

/**
 * How often the recurrent block was applied in training.
 *
 * @param recurrence applications by default, at least 1
 * @param fadesBeyond whether more of them are known to make the answers worse
 */
public record Depth(int recurrence, boolean fadesBeyond) {
  public Depth {
    if (recurrence < 1) {
      throw new IllegalArgumentException("recurrences must be at least 1, not " + recurrence);
    }
  }
}
