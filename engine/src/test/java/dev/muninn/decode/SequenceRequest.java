package dev.muninn.decode;

/**
 * A sequence that a test decodes.
 *
 * @param recurrence most applications of the recurrent block to a position
 * @param count most tokens to choose
 * @param spare positions of the cache beyond what prompt and tokens need; may be negative
 * @param stopToken a token that ends it, or -1
 */
record SequenceRequest(
    int[] prompt,
    int recurrence,
    int count,
    int spare,
    int stopToken,
    InitialState state,
    DecodingOptions options,
    SamplingOptions sampling) {

  /** Twelve tokens at six recurrences from random states, greedily. */
  static SequenceRequest of(int... prompt) {
    return new SequenceRequest(
        prompt,
        6,
        12,
        0,
        -1,
        InitialState.random(11),
        DecodingOptions.defaults(),
        SamplingOptions.greedy());
  }

  SequenceRequest recurrence(int recurrence) {
    return new SequenceRequest(
        prompt, recurrence, count, spare, stopToken, state, options, sampling);
  }

  SequenceRequest count(int count) {
    return new SequenceRequest(
        prompt, recurrence, count, spare, stopToken, state, options, sampling);
  }

  SequenceRequest spare(int spare) {
    return new SequenceRequest(
        prompt, recurrence, count, spare, stopToken, state, options, sampling);
  }

  SequenceRequest stopToken(int stopToken) {
    return new SequenceRequest(
        prompt, recurrence, count, spare, stopToken, state, options, sampling);
  }

  SequenceRequest state(InitialState state) {
    return new SequenceRequest(
        prompt, recurrence, count, spare, stopToken, state, options, sampling);
  }

  SequenceRequest options(DecodingOptions options) {
    return new SequenceRequest(
        prompt, recurrence, count, spare, stopToken, state, options, sampling);
  }

  SequenceRequest strategy(Strategy strategy) {
    return options(options.withStrategy(strategy));
  }

  SequenceRequest exit(ExitOptions exit) {
    return options(options.withExit(exit));
  }

  SequenceRequest sampling(SamplingOptions sampling) {
    return new SequenceRequest(
        prompt, recurrence, count, spare, stopToken, state, options, sampling);
  }

  /** Positions of the cache: the last token chosen needs none. */
  int capacity() {
    return prompt.length + count - 1 + spare;
  }
}
