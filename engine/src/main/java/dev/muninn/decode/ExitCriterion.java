package dev.muninn.decode;

/**
 * Decides when a group of rows has thought enough. An instance follows one group: the rows of a
 * prompt that leave together, or a single row. Implement it to add a criterion of your own.
 */
public interface ExitCriterion {

  /** Whether {@link #measure} reads logits, for which the coda is computed at every check. */
  boolean readsLogits();

  /**
   * Begins a forward.
   *
   * @param latents s_0 of the group's rows, [rows, h]
   */
  void begin(float[] latents, int rows, int width);

  /**
   * The value to compare with the threshold, after a recurrence.
   *
   * @param latents s_i of the group's rows, [rows, h]
   * @param logits of the group's last row, [vocabulary]; undefined if the criterion does not read
   *     them
   */
  double measure(float[] latents, int rows, int width, float[] logits);

  /**
   * Whether {@link #measure} is to be called after every recurrence, because the value sums up what
   * was before; {@link #satisfied} is asked only where the options want a check.
   */
  default boolean measuresEveryRecurrence() {
    return false;
  }

  /** Whether the rows leave with a value; a value that is not a number lets nothing leave. */
  boolean satisfied(double value);
}
