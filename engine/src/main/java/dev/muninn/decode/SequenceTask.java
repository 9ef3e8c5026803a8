package dev.muninn.decode;

import dev.muninn.backend.Backend;
import dev.muninn.cache.KeyValueLayout;
import dev.muninn.cache.SequenceCache;
import dev.muninn.cache.SlotPolicy;
import java.util.Arrays;
import java.util.function.BooleanSupplier;

/**
 * A sequence to decode, or continuations of a context to score: the tokens given, how they are
 * computed, and what came of it. Used once.
 */
public final class SequenceTask {
  final KeyValueLayout layout;
  final int[] prompt;
  final int recurrence;
  final InitialState initialState;
  final DecodingOptions options;

  /** What follows the prompt, each by itself; empty if that is to be chosen. */
  final int[][] continuations;

  /** Of each continuation's tokens. */
  final double[][] logProbabilities;

  final Sampler sampler;
  final TokenSink sink;

  private KeptSequence kept;
  private BooleanSupplier cancelled = () -> false;
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
    this(layout, prompt, new int[0][], recurrence, initialState, options, sampler, sink);
    for (int token : prompt) {
      sampler.acceptPrompt(token);
    }
  }

  private SequenceTask(
      KeyValueLayout layout,
      int[] prompt,
      int[][] continuations,
      int recurrence,
      InitialState initialState,
      DecodingOptions options,
      Sampler sampler,
      TokenSink sink) {
    this.layout = layout;
    this.prompt = prompt.clone();
    this.continuations = continuations;
    this.logProbabilities = new double[continuations.length][];
    for (int i = 0; i < continuations.length; i++) {
      logProbabilities[i] = new double[continuations[i].length];
    }
    this.recurrence = recurrence;
    this.initialState = initialState;
    this.options = options;
    this.sampler = sampler;
    this.sink = sink;
    this.recurrences = new int[layout.capacity() - prompt.length + 2];
  }

  /**
   * Continuations to score. The context is computed once; each continuation reads its keys and
   * values, and is computed as decoding would compute it had it chosen these tokens.
   *
   * @param layout room for the context and the longest continuation less its last token
   * @param context at least one token
   * @param continuations at least one, of at least one token each
   * @param recurrence most applications of the recurrent block to a position, at least 1
   * @param options of sequential decoding
   * @param sink hears when the task begins and ends
   */
  public static SequenceTask scoring(
      KeyValueLayout layout,
      int[] context,
      int[][] continuations,
      int recurrence,
      InitialState initialState,
      DecodingOptions options,
      TokenSink sink) {
    return new SequenceTask(
        layout, context, continuations, recurrence, initialState, options, null, sink);
  }

  /** Whether tokens are given, to be scored, and not chosen. */
  boolean scores() {
    return continuations.length > 0;
  }

  /**
   * Whether all positions of a continuation may be computed together, because no position can tell
   * that the one before has not ended: each recurrence has a slot of its own, all make the same
   * number of them, and none starts from the last one's end.
   */
  boolean inLockstep() {
    return options.effectivePolicy() == SlotPolicy.full()
        && options.exit().criterion().isEmpty()
        && !options.warmStart();
  }

  /** Natural logarithms of the probabilities of each continuation's tokens. */
  public double[][] logProbabilities() {
    return logProbabilities;
  }

  /**
   * Goes on from what is kept of an earlier task, and keeps this one's keys and values there. Not
   * for parallel sampling.
   *
   * @param kept of the task's own layout; it must stay open while the task runs
   * @return positions of the prompt that need not be computed
   */
  public int continueFrom(KeptSequence kept) {
    if (!kept.cache.layout().equals(layout)) {
      throw new IllegalArgumentException("the kept keys and values have another layout");
    }
    if (options.strategy() instanceof Strategy.Parallel) {
      throw new IllegalArgumentException("parallel sampling keeps no keys and values");
    }
    this.kept = kept;
    return begin();
  }

  /** Makes the task end, in a {@link Scheduler}, as soon as something is true. */
  public void cancelWhen(BooleanSupplier cancelled) {
    this.cancelled = cancelled;
  }

  boolean isCancelled() {
    return cancelled.getAsBoolean();
  }

  /** Positions of the prompt that need not be computed. */
  int begin() {
    return kept == null ? 0 : kept.begin(prompt);
  }

  /** The cache to compute in: what is kept, or a new one. */
  SequenceCache openCache(Backend backend) {
    return kept == null ? new SequenceCache(layout, backend.allocate(layout)) : kept.cache;
  }

  /** Closes a cache that was opened for this task alone. */
  void closeCache(SequenceCache cache) {
    if (kept == null) {
      cache.close();
    }
  }

  /** Notes that the next position is computed. */
  void computed(int token) {
    if (kept != null) {
      kept.append(token);
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
