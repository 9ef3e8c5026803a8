package dev.muninn.decode;

import dev.muninn.cache.KeyValueLayout;
import java.util.Arrays;

/** A sequence to decode: its prompt, how it is decoded, and what came of it. Used once. */
public final class SequenceTask {
  final KeyValueLayout layout;
  final int[] prompt;
  final int recurrence;
  final InitialState initialState;
  final DecodingOptions options;
  final Sampler sampler;
  final TokenSink sink;

  private int[] recurrences;
  private int forwards;
  private int[] promptRecurrences = new int[0];
  long corePasses;
  long coreRows;
  long checkRows;
  long draftedTokens;
  long acceptedTokens;
  long outerSteps;

  /**
   * A sequence to decode.
   *
   * @param layout room for its keys and values: the prompt and all tokens but the last
   * @param prompt at least one token
   * @param recurrence most applications of the recurrent block to a position, at least 1
   * @param sampler has not been told of the prompt
   */
  public SequenceTask(
      KeyValueLayout layout,
      int[] prompt,
      int recurrence,
      InitialState initialState,
      DecodingOptions options,
      Sampler sampler,
      TokenSink sink) {
    this.layout = layout;
    this.prompt = prompt.clone();
    this.recurrence = recurrence;
    this.initialState = initialState;
    this.options = options;
    this.sampler = sampler;
    this.sink = sink;
    this.recurrences = new int[layout.capacity() - prompt.length + 2];
    for (int token : prompt) {
      sampler.accept(token);
    }
  }

  /** Room for the sequence's keys and values. */
  public KeyValueLayout layout() {
    return layout;
  }

  void recordForward(int recurrence) {
    if (forwards == recurrences.length) {
      recurrences = Arrays.copyOf(recurrences, 2 * forwards);
    }
    recurrences[forwards++] = recurrence;
  }

  void recordPromptRecurrences(int[] values) {
    promptRecurrences = values;
  }

  /** Recurrences per forward, the prompt's first. */
  public int[] recurrences() {
    return Arrays.copyOf(recurrences, forwards);
  }

  /** Recurrences of each position of the prompt, if they left by themselves; else empty. */
  public int[] promptRecurrences() {
    return promptRecurrences.clone();
  }

  public DecodingStatistics statistics() {
    return new DecodingStatistics(
        corePasses, coreRows, checkRows, draftedTokens, acceptedTokens, outerSteps);
  }
}
