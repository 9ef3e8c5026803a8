package dev.muninn.serve;

import dev.muninn.decode.DecodingStatistics;
import java.util.List;
import java.util.Optional;

/**
 * The result of a generation.
 *
 * @param promptTokens the prompt as the model saw it
 * @param tokens the chosen tokens, an end-of-sequence token included
 * @param text the text without special tokens and stop strings; empty without a tokenizer
 * @param recurrences applications of the recurrent block per forward, the prompt's first
 * @param finishReason why it ended
 * @param timings how long it took
 * @param keyValueBytes memory that was reserved for keys and values
 * @param promptRecurrences recurrences of each position of the prompt, if they left one by one;
 *     else empty
 * @param statistics what it cost
 */
public record GenerationResult(
    List<Integer> promptTokens,
    List<Integer> tokens,
    Optional<String> text,
    List<Integer> recurrences,
    FinishReason finishReason,
    Timings timings,
    long keyValueBytes,
    List<Integer> promptRecurrences,
    DecodingStatistics statistics) {

  public GenerationResult {
    promptTokens = List.copyOf(promptTokens);
    tokens = List.copyOf(tokens);
    recurrences = List.copyOf(recurrences);
    promptRecurrences = List.copyOf(promptRecurrences);
  }
}
