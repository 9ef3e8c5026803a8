package dev.muninn.decode;

import dev.muninn.cache.SequenceCache;

/**
 * The continuations of a context that are scored one after the other. Each is computed from the
 * context's end on, so the cache goes back there in between. The last token of a continuation is
 * scored and not computed. Not thread-safe.
 */
final class ContinuationScoring {
  private final SequenceTask task;

  /** Where a position starts from the last one's end: that of the context. */
  private final float[] contextWarm;

  private int continuation = -1;

  ContinuationScoring(SequenceTask task, int warmWidth) {
    this.task = task;
    this.contextWarm = new float[warmWidth];
  }

  /** Whether the context is behind us. */
  boolean begun() {
    return continuation >= 0;
  }

  /** The position behind the rows of the continuation under way. */
  int end() {
    return task.prompt.length + task.continuations[continuation].length - 1;
  }

  /** The continuation's token at a position. */
  int token(int position) {
    return task.continuations[continuation][position - task.prompt.length];
  }

  /** Scores the token behind a position of the continuation, of which there are logits. */
  void score(int position, float[] logits) {
    int next = position - task.prompt.length + 1;
    score(continuation, next, logits);
  }

  /** Scores the first token of each continuation; whether there is more to score. */
  boolean begin(float[] logits, float[] warm, SequenceCache cache) {
    for (int i = 0; i < task.continuations.length; i++) {
      score(i, 0, logits);
    }
    System.arraycopy(warm, 0, contextWarm, 0, warm.length);
    return next(warm, cache);
  }

  private void score(int continuation, int index, float[] logits) {
    task.logProbabilities[continuation][index] =
        LogProbabilities.of(logits, task.continuations[continuation][index]);
    task.sink.scored(continuation, index, logits);
  }

  /** Goes back to the context's end for the next continuation that has rows, if there is one. */
  boolean next(float[] warm, SequenceCache cache) {
    cache.truncate(task.prompt.length);
    System.arraycopy(contextWarm, 0, warm, 0, warm.length);
    do {
      continuation++;
    } while (continuation < task.continuations.length && end() == task.prompt.length);
    return continuation < task.continuations.length;
  }
}
