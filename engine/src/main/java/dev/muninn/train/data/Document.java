package dev.muninn.train.data;

import java.util.Arrays;

/**
 * Tokens that belong together, and what each position is to predict.
 *
 * @param tokens without the last, which is only predicted
 * @param labels the token behind each, or {@link Batch#IGNORED}
 */
record Document(int[] tokens, int[] labels) {

  /**
   * A text.
   *
   * @param prompt how many of the tokens are not to be predicted
   */
  static Document of(int begin, int[] text, int prompt, int end) {
    int[] tokens = new int[text.length + 1];
    int[] labels = new int[tokens.length];
    tokens[0] = begin;
    System.arraycopy(text, 0, tokens, 1, text.length);
    System.arraycopy(text, 0, labels, 0, text.length);
    labels[text.length] = end;
    Arrays.fill(labels, 0, prompt, Batch.IGNORED);
    return new Document(tokens, labels);
  }

  int length() {
    return tokens.length;
  }

  Document part(int from, int to) {
    return new Document(Arrays.copyOfRange(tokens, from, to), Arrays.copyOfRange(labels, from, to));
  }
}
