package dev.muninn.cli.bench;

import dev.muninn.cache.KeyValueType;
import dev.muninn.cache.SlotPolicy;
import dev.muninn.decode.DecodingOptions;
import dev.muninn.decode.ExitOptions;
import dev.muninn.decode.InitialState;
import dev.muninn.decode.Strategy;
import dev.muninn.measure.RandomValues;
import dev.muninn.serve.GenerationRequest;
import dev.muninn.text.Prompt;
import java.util.Optional;

/**
 * One run: takes in a prompt, then decodes tokens behind it.
 *
 * @param promptTokens tokens of the prompt; with 0 one token stands for it, and is not measured
 * @param newTokens forwards after the prompt's
 * @param recurrence most recurrences of a forward
 * @param policy which recurrences keep their keys and values
 * @param type how keys and values are stored; empty for what fits the weights
 * @param exitName what the exit is called on the command line
 * @param exit when rows stop before
 * @param seed of the prompt and of the initial states
 */
record Workload(
    int promptTokens,
    int newTokens,
    int recurrence,
    SlotPolicy policy,
    Optional<KeyValueType> type,
    String exitName,
    ExitOptions exit,
    long seed) {

  /** Positions before the first token that is decoded. */
  int depth() {
    return Math.max(1, promptTokens);
  }

  GenerationRequest request(int vocabularySize) {
    return GenerationRequest.builder(
            Prompt.tokens(RandomValues.tokens(depth(), vocabularySize, seed)))
        // The first is the prompt's.
        .maxTokens(newTokens + 1)
        .recurrence(recurrence)
        .initialState(InitialState.random(seed))
        .ignoreEndOfSequence(true)
        .decoding(
            new DecodingOptions(Optional.of(policy), type, exit, false, Strategy.sequential()))
        .build();
  }

  /** As llama-bench writes it: the prompt's test. */
  String promptTest() {
    return "pp" + promptTokens;
  }

  /** As llama-bench writes it: the test of the tokens behind the prompt. */
  String decodeTest() {
    return "tg" + newTokens + (promptTokens == 0 ? "" : " @ d" + promptTokens);
  }

  /** The settings that differ from their defaults, for people. */
  String variant() {
    return (policy.equals(SlotPolicy.full()) ? "" : ", kv " + policy)
        + (exit.criterion().isPresent() ? ", exit " + exitName : "");
  }
}
