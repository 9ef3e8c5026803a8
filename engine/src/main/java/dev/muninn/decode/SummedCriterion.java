package dev.muninn.decode;

import dev.muninn.backend.LatentComparison;
import dev.muninn.backend.LogitComparison;

/**
 * A criterion that needs no more of the states than sums that a device can take, or, if it reads
 * logits, no more of the logits of the group's last row.
 */
interface SummedCriterion extends ExitCriterion {

  /** Begins a forward of so many rows in the group. */
  void begin(int rows);

  /**
   * The value to compare with the threshold, after a recurrence.
   *
   * @param sums of rows, as {@link LatentComparison#compare} gives them, or of one, as {@link
   *     LogitComparison#read} does
   * @param first the group's first row among them
   */
  double measure(float[] sums, int first, int rows);

  /** Whether logits are compared by likely tokens only; {@link LogitComparison} says how. */
  default boolean likelyOnly() {
    return false;
  }
}
