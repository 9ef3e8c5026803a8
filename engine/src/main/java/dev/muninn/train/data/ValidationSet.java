package dev.muninn.train.data;

/**
 * Sequences that are held out, and what counts as an answer in them.
 *
 * @param name for people
 * @param batch the sequences
 * @param answers the number of the answer that each position belongs to, from 0 on, {@link #NONE}
 *     for none; [batch]
 * @param count number of answers
 */
public record ValidationSet(String name, Batch batch, int[] answers, int count) {
  /** Of a position that belongs to no answer. */
  public static final int NONE = -1;

  /** Every position whose label counts is an answer of its own. */
  public static ValidationSet ofPositions(String name, Batch batch) {
    int[] answers = new int[batch.labels().length];
    int count = 0;
    for (int i = 0; i < answers.length; i++) {
      answers[i] = batch.labels()[i] == Batch.IGNORED ? NONE : count++;
    }
    return new ValidationSet(name, batch, answers, count);
  }

  /**
   * The share of answers all of whose positions were predicted.
   *
   * @param predictions the likeliest token of each position, [batch]
   */
  public double accuracy(int[] predictions) {
    boolean[] wrong = new boolean[count];
    for (int i = 0; i < answers.length; i++) {
      if (answers[i] != NONE && predictions[i] != batch.labels()[i]) {
        wrong[answers[i]] = true;
      }
    }
    int right = 0;
    for (boolean failed : wrong) {
      right += failed ? 0 : 1;
    }
    return (double) right / count;
  }
}
