package dev.muninn.serve;

import dev.muninn.cache.KeyValueType;
import dev.muninn.decode.SequenceTask;
import dev.muninn.decode.TokenSink;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;

/** One context with continuations to score: hears when it has ended. */
final class ContinuationScorer implements TokenSink {
  private final SequenceTask task;
  private final Consumer<ContinuationScores> whenEnded;
  private Outcome<ContinuationScores> outcome = Outcome.none();

  /**
   * A request that has not begun.
   *
   * @throws IllegalArgumentException if it does not fit the model
   */
  ContinuationScorer(
      ServedModel model, ScoreRequest request, Consumer<ContinuationScores> whenEnded) {
    this.whenEnded = whenEnded;
    model.requireSupports(request.decoding());
    int[] context = model.tokens(request.context());
    int[][] continuations = new int[request.continuations().size()][];
    int longest = 0;
    for (int i = 0; i < continuations.length; i++) {
      continuations[i] = model.tokens(request.continuations().get(i));
      longest = Math.max(longest, continuations[i].length);
    }
    int length = Math.addExact(context.length, longest);
    model.requireFits(length);
    int recurrence = model.recurrence(request.recurrence());
    task =
        SequenceTask.scoring(
            model.layout(request.decoding(), recurrence, length - 1, KeyValueType.F32),
            context,
            continuations,
            recurrence,
            request.initialState(),
            request.decoding(),
            this);
  }

  SequenceTask task() {
    return task;
  }

  @Override
  public boolean accept(int token, int recurrences) {
    throw new IllegalStateException("nothing is chosen where tokens are scored");
  }

  @Override
  public void ended() {
    List<List<Double>> scores = new ArrayList<>();
    for (double[] values : task.logProbabilities()) {
      scores.add(Arrays.stream(values).boxed().toList());
    }
    List<Integer> recurrences = Arrays.stream(task.recurrences()).boxed().toList();
    ContinuationScores result = new ContinuationScores(scores, recurrences, task.statistics());
    whenEnded.accept(result);
    outcome = Outcome.of(result);
  }

  @Override
  public void failed(Throwable failure) {
    outcome = Outcome.failed(failure);
  }

  Outcome<ContinuationScores> outcome() {
    return outcome;
  }
}
