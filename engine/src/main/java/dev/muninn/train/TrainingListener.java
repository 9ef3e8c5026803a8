package dev.muninn.train;

import java.util.List;

/** Is told about the progress of training. */
public interface TrainingListener {

  /** After every step. */
  default void onStep(StepReport report) {}

  /**
   * After every evaluation.
   *
   * @param step steps taken so far
   * @param evaluations by validation set and recurrence
   */
  default void onEvaluation(long step, List<Evaluation> evaluations) {}

  /**
   * After a checkpoint was written.
   *
   * @param step steps that it has
   */
  default void onSave(long step) {}
}
