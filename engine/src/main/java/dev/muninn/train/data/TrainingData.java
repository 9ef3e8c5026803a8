package dev.muninn.train.data;

import java.util.List;
import java.util.Map;

/**
 * The source of batches. A batch depends on its number, the data's seed and its state alone, so a
 * run that was interrupted goes on with the batches that it would have had.
 */
public interface TrainingData {

  /**
   * The batch of a number.
   *
   * @param number from 0 on
   */
  Batch batch(long number);

  /** The held-out data for this state. */
  List<ValidationSet> validation();

  /**
   * The mean number of recurrences to train with for now.
   *
   * @param mean the model's
   */
  default int meanRecurrence(int mean) {
    return mean;
  }

  /**
   * Hears how the model did; harder problems may follow.
   *
   * @param accuracies by the name of a validation set, at the model's mean recurrence
   */
  default void evaluated(Map<String, Double> accuracies) {}

  /** What changes in training, to be kept with a checkpoint; empty if nothing does. */
  default Map<String, String> state() {
    return Map.of();
  }

  /** Goes on from a state. */
  default void restore(Map<String, String> state) {}
}
