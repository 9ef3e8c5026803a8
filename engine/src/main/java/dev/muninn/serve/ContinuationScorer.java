package dev.muninn.serve;

import dev.muninn.cache.KeyValueType;
import dev.muninn.decode.LogProbabilities;
import dev.muninn.decode.SequenceTask;
import dev.muninn.decode.TokenProbability;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;

/** One context with continuations to score: hears when it has ended. */
final class ContinuationScorer extends Job {
  private final SequenceTask task;
  private final Consumer<ContinuationScores> whenEnded;
  private final int alternatives;
  private final List<List<List<TokenProbability>>> likeliest = new ArrayList<>();
  private ContinuationScores result;

  /**
   * A request that has not begun.
   *
   * @throws IllegalArgumentException if it does not fit the model
   */
  ContinuationScorer(
      ServedModel model, ScoreRequest request, Consumer<ContinuationScores> whenEnded) {
    this.whenEnded = whenEnded;
    this.alternatives = request.alternatives();
    model.requireSupports(request.decoding());
    int[] context = model.tokens(request.context());
    int[][] continuations = new int[request.continuations().size()][];
    int longest = 0;
    for (int i = 0; i < continuations.length; i++) {
      continuations[i] = model.tokens(request.continuations().get(i));
      likeliest.add(new ArrayList<>());
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

  @Override
  SequenceTask task() {
    return task;
  }

  @Override
  public void scored(int continuation, int index, float[] logits) {
    if (alternatives > 0) {
      likeliest.get(continuation).add(LogProbabilities.top(logits, alternatives));
    }
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
    ContinuationScores made =
        new ContinuationScores(scores, recurrences, task.statistics(), likeliest);
    whenEnded.accept(made);
    result = made;
    super.ended();
  }

  Outcome<ContinuationScores> outcome() {
    if (failure() != null) {
      return Outcome.failed(failure());
    }
    return result == null ? Outcome.none() : Outcome.of(result);
  }
}
