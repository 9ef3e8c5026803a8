package dev.muninn.train;

import dev.muninn.decode.Cancellation;
import dev.muninn.decode.SplitMix;
import dev.muninn.train.data.Batch;
import dev.muninn.train.data.TrainingData;
import dev.muninn.train.data.ValidationSet;
import dev.muninn.weights.Checkpoint;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Trains a model (arXiv 2502.05171, section 3.3). Everything random in a step depends on the seed
 * and the step's number alone, so the same seed on the same number of threads gives the same losses
 * to the last bit, interrupted or not.
 */
public final class Trainer implements AutoCloseable {
  // What the random numbers of a step are for; each purpose has its own.
  private static final long RECURRENCES = 1;
  private static final long STATES = 2;
  private static final long EVALUATION_STATES = 3;

  private final TrainingPlan plan;
  private final TrainingData data;
  private final TrainingDirectory directory;
  private final TrainedModel model;
  private final AdamW optimizer;
  private boolean initialized;
  private long step;
  private long savedStep = -1;

  /**
   * A trainer of a model with Takase's initial weights.
   *
   * @param directory where its files go
   * @param threads that compute
   */
  public Trainer(TrainingPlan plan, TrainingData data, TrainingDirectory directory, int threads) {
    this.plan = plan;
    this.data = data;
    this.directory = directory;
    this.optimizer = plan.schedule().optimizer();
    this.model = new TrainedModel(plan.config(), plan.objective().sandwich(), threads);
    TakaseInit.initialize(plan.config(), model.parameters(), plan.seed());
    model.network.refresh();
  }

  /**
   * Takes over the weights of a checkpoint, whatever its type. Problems that grow as they are
   * learnt then begin at what the model can do.
   */
  public void initialize(Checkpoint checkpoint) {
    checkpoint.guard(() -> {
      model.parameters().read(checkpoint);
      return true;
    });
    model.network.refresh();
    initialized = true;
  }

  /**
   * Goes on from what the directory has.
   *
   * @param state what {@link TrainingDirectory#readState} read
   */
  public void resume(TrainingDirectory.State state) {
    state.restore(model.parameters());
    data.restore(state.data());
    model.network.refresh();
    step = state.step();
    savedStep = step;
  }

  /** The trained tensors. */
  Parameters parameters() {
    return model.parameters();
  }

  /** Steps taken so far. */
  public long step() {
    return step;
  }

  /** Number of trained values. */
  public long parameterCount() {
    return model.parameters().count();
  }

  /**
   * Trains up to the last step of the schedule, or until it is cancelled; either way the last step
   * is saved.
   *
   * @param cancellation heeded between two steps
   * @throws TrainingException if a loss or a gradient is not a number; the checkpoint of the last
   *     save stays
   */
  public void run(TrainingListener listener, Cancellation cancellation) {
    long steps = plan.schedule().steps();
    if (savedStep < 0) {
      if (initialized) {
        skipLearnt();
      }
      save(listener);
    }
    while (step < steps && !cancellation.isCancelled()) {
      StepReport report = takeStep();
      directory.log(report);
      listener.onStep(report);
      if (step % plan.evaluation().every() == 0 && step < steps) {
        evaluate(listener);
      }
      if (step % plan.saving().every() == 0) {
        save(listener);
      }
    }
    if (step == steps && savedStep < steps) {
      evaluate(listener);
    }
    if (savedStep < step) {
      save(listener);
    }
  }

  private void skipLearnt() {
    Map<String, String> before;
    do {
      before = data.state();
      data.evaluated(accuracies(evaluate(List.of(judged()))));
    } while (!data.state().equals(before));
  }

  private StepReport takeStep() {
    Schedule schedule = plan.schedule();
    final long began = System.nanoTime();
    int mean = data.meanRecurrence(plan.config().meanRecurrence());
    double loss = 0;
    long tokens = 0;
    int recurrence = 0;
    for (int part = 0; part < schedule.accumulated(); part++) {
      long number = step * schedule.accumulated() + part;
      Batch batch = data.batch(number);
      SplitMix random = new SplitMix();
      random.seed(seed(RECURRENCES), number);
      recurrence = plan.objective().recurrence(mean, random);
      loss +=
          model.lossAndGradients(
                  batch,
                  StartingStates.drawn(plan.config(), seed(STATES) + number),
                  recurrence,
                  plan.objective().depth(),
                  1.0 / schedule.accumulated())
              / schedule.accumulated();
      tokens += batch.tokens().length;
    }
    double norm = model.gatherGradients();
    require(loss, "loss");
    require(norm, "gradient's norm");
    double rate = schedule.learningRate(step);
    double scale = norm > schedule.clip() ? schedule.clip() / norm : 1;
    model.update(optimizer.step(step + 1, rate, scale));
    step++;
    return new StepReport(step, loss, recurrence, rate, norm, tokens, System.nanoTime() - began);
  }

  private void require(double number, String what) {
    if (!Double.isFinite(number)) {
      throw new TrainingException(
          "step "
              + (step + 1)
              + ": the "
              + what
              + " is "
              + number
              + "; the checkpoint of step "
              + savedStep
              + " is kept in "
              + directory.path());
    }
  }

  private long seed(long purpose) {
    SplitMix random = new SplitMix();
    random.seed(plan.seed(), purpose);
    return (long) (random.uniform() * 0x1p53);
  }

  private void evaluate(TrainingListener listener) {
    List<Evaluation> evaluations = evaluate();
    directory.log(step, evaluations);
    data.evaluated(accuracies(evaluations));
    listener.onEvaluation(step, evaluations);
  }

  /** By validation set, at the recurrence that counts. */
  private Map<String, Double> accuracies(List<Evaluation> evaluations) {
    Map<String, Double> accuracies = new HashMap<>();
    for (Evaluation evaluation : evaluations) {
      if (evaluation.recurrence() == judged()) {
        accuracies.put(evaluation.set(), evaluation.accuracy());
      }
    }
    return accuracies;
  }

  /** The recurrence that is tried and is nearest to what the model is trained at. */
  private int judged() {
    int mean = plan.config().meanRecurrence();
    int nearest = plan.evaluation().recurrences().getFirst();
    for (int recurrence : plan.evaluation().recurrences()) {
      if (Math.abs(recurrence - mean) < Math.abs(nearest - mean)) {
        nearest = recurrence;
      }
    }
    return nearest;
  }

  /** The validation sets at every recurrence of the plan. */
  public List<Evaluation> evaluate() {
    return evaluate(plan.evaluation().recurrences());
  }

  private List<Evaluation> evaluate(List<Integer> recurrences) {
    List<Evaluation> evaluations = new ArrayList<>();
    for (ValidationSet set : data.validation()) {
      int[] predictions = new int[set.batch().tokens().length];
      for (int recurrence : recurrences) {
        double loss =
            model.loss(
                set.batch(),
                StartingStates.drawn(plan.config(), seed(EVALUATION_STATES)),
                recurrence,
                predictions);
        evaluations.add(new Evaluation(set.name(), recurrence, loss, set.accuracy(predictions)));
      }
    }
    return evaluations;
  }

  private void save(TrainingListener listener) {
    directory.save(plan, model.parameters(), step, data.state());
    savedStep = step;
    listener.onSave(step);
  }

  @Override
  public void close() {
    model.close();
  }
}
