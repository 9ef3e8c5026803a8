package dev.muninn.train.data;

/**
 * Sequences of the same length that are learnt from together.
 *
 * @param count number of sequences
 * @param length tokens of each
 * @param tokens [count, length]
 * @param labels what each position is to predict, [count, length]; {@link #IGNORED} where nothing
 */
public record Batch(int count, int length, int[] tokens, int[] labels) {
  /** A position with this label does not count. */
  public static final int IGNORED = -100;

  public Batch {
    if (count < 1 || length < 1) {
      throw new IllegalArgumentException("a batch of " + count + " sequences of " + length);
    }
    if (tokens.length != count * length || labels.length != tokens.length) {
      throw new IllegalArgumentException(
          "a batch of %d x %d has %d tokens and %d labels"
              .formatted(count, length, tokens.length, labels.length));
    }
  }

  /** Labels that count. */
  public int counted() {
    int counted = 0;
    for (int label : labels) {
      if (label != IGNORED) {
        counted++;
      }
    }
    return counted;
  }
}
