package dev.muninn.train;

import dev.muninn.family.huginn.HuginnConfig;
import dev.muninn.weights.DType;
import java.util.List;
import java.util.Objects;

/**
 * The model to train, and how.
 *
 * @param config the model's shape
 * @param objective recurrences
 * @param schedule steps and learning rate
 * @param seed of weights, latent states and recurrences
 * @param evaluation when and how deep
 * @param saving when and as what
 */
public record TrainingPlan(
    HuginnConfig config,
    Objective objective,
    Schedule schedule,
    long seed,
    EvaluationPlan evaluation,
    SavePlan saving) {

  public TrainingPlan {
    Objects.requireNonNull(config, "config");
    Objects.requireNonNull(objective, "objective");
    Objects.requireNonNull(schedule, "schedule");
    Objects.requireNonNull(evaluation, "evaluation");
    Objects.requireNonNull(saving, "saving");
  }

  /**
   * When the model is evaluated.
   *
   * @param every steps
   * @param recurrences each of which is tried
   */
  public record EvaluationPlan(long every, List<Integer> recurrences) {
    public EvaluationPlan {
      recurrences = List.copyOf(recurrences);
      if (every < 1 || recurrences.isEmpty()) {
        throw new IllegalArgumentException("an evaluation needs steps between and recurrences");
      }
      for (int recurrence : recurrences) {
        if (recurrence < 1) {
          throw new IllegalArgumentException("recurrence " + recurrence + " is below 1");
        }
      }
    }
  }

  /**
   * When a checkpoint is written.
   *
   * @param every steps
   * @param dtype of the matrices in it, F32 or BF16; the state that training goes on from is F32
   */
  public record SavePlan(long every, DType dtype) {
    public SavePlan {
      if (every < 1) {
        throw new IllegalArgumentException("there is at least 1 step between checkpoints");
      }
      if (dtype != DType.F32 && dtype != DType.BF16) {
        throw new IllegalArgumentException("a checkpoint is saved in F32 or BF16, not " + dtype);
      }
    }
  }
}
