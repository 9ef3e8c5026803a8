package dev.muninn.train.data;

import java.util.Arrays;

/** Fills the sequences of a batch, one after the other. */
final class SequenceBuilder {
  private final int length;
  private final int[] tokens;
  private final int[] labels;
  private final int[] answers;
  private final int count;
  private int sequence = -1;
  private int position;
  private int answerCount;

  SequenceBuilder(int count, int length, int pad) {
    this.count = count;
    this.length = length;
    tokens = new int[count * length];
    labels = new int[count * length];
    answers = new int[count * length];
    Arrays.fill(tokens, pad);
    Arrays.fill(labels, Batch.IGNORED);
    Arrays.fill(answers, ValidationSet.NONE);
  }

  /** Begins the next sequence. */
  void begin() {
    sequence++;
    position = 0;
  }

  /** Tokens that the sequence has room for. */
  int room() {
    return length - position;
  }

  /**
   * Appends a token.
   *
   * @param label what is to be predicted behind it
   */
  void add(int token, int label) {
    int at = sequence * length + position++;
    tokens[at] = token;
    labels[at] = label;
  }

  /** Says that the last {@code size} tokens predict an answer. */
  void answer(int size) {
    int end = sequence * length + position;
    Arrays.fill(answers, end - size, end, answerCount);
    answerCount++;
  }

  Batch batch() {
    return new Batch(count, length, tokens, labels);
  }

  ValidationSet validation(String name) {
    return new ValidationSet(name, batch(), answers, answerCount);
  }
}
