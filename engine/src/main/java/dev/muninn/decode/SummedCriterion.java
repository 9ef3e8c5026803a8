package dev.muninn.decode;

import dev.muninn.backend.LatentComparison;

/** A criterion that needs no more of the states than sums that a device can take. */
interface SummedCriterion extends ExitCriterion {

  /** Begins a forward of so many rows in the group. */
  void begin(int rows);

  /**
   * The value to compare with the threshold, after a recurrence.
   *
   * @param sums of rows, as {@link LatentComparison#compare} gives them
   * @param first the group's first row among them
   */
  double measure(float[] sums, int first, int rows);
}
