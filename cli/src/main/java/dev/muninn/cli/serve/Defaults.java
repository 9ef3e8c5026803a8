package dev.muninn.cli.serve;

import dev.muninn.decode.DecodingOptions;
import dev.muninn.decode.InitialState;
import dev.muninn.decode.SamplingOptions;
import java.util.Map;
import java.util.Objects;

/**
 * What a request gets that does not say.
 *
 * @param recurrence applications of the recurrent block, at least 1
 * @param mostRecurrence the most that a request may ask for
 * @param efforts recurrences by OpenAI's names for reasoning effort
 * @param initialState how latent states begin
 * @param sampling how tokens are chosen
 * @param decoding how depth is spent, of sequential decoding
 * @param maxTokens most tokens of an answer
 * @param places for answers that are computed or wait; one that is scored takes two
 */
record Defaults(
    int recurrence,
    int mostRecurrence,
    Map<String, Integer> efforts,
    InitialState initialState,
    SamplingOptions sampling,
    DecodingOptions decoding,
    int maxTokens,
    long places) {

  Defaults {
    Objects.requireNonNull(initialState, "initialState");
    Objects.requireNonNull(sampling, "sampling");
    Objects.requireNonNull(decoding, "decoding");
    efforts = Map.copyOf(efforts);
    if (recurrence < 1 || mostRecurrence < recurrence) {
      throw new IllegalArgumentException(
          "recurrences must be from 1 to the most of " + mostRecurrence + ", not " + recurrence);
    }
  }
}
