package dev.muninn.cli.serve;

import dev.muninn.decode.SamplingOptions;
import dev.muninn.serve.GenerationRequest;
import dev.muninn.serve.ScoreRequest;
import dev.muninn.text.Prompt;
import java.util.Arrays;
import java.util.List;
import java.util.function.UnaryOperator;

/**
 * A request for answers, read and checked.
 *
 * @param source the field that the prompts are in
 * @param prompts at least one
 * @param choices answers to each prompt
 * @param stream whether to send answers as they are made
 * @param includeUsage whether a stream ends with what it cost
 * @param returnRecurrences whether to say how often each token was thought over
 * @param echo whether an answer begins with its prompt
 * @param alternatives probabilities to report with each token, or {@link GenerationRequest#NONE}
 * @param generates whether anything follows the prompt
 * @param settings gives a request all but its prompt and seed
 * @param sampling how tokens are chosen, by the number of the choice
 */
record Question(
    String source,
    List<Prompt> prompts,
    int choices,
    boolean stream,
    boolean includeUsage,
    boolean returnRecurrences,
    boolean echo,
    int alternatives,
    boolean generates,
    UnaryOperator<GenerationRequest.Builder> settings,
    Sampling sampling) {

  /** How tokens of each choice are chosen. */
  @FunctionalInterface
  interface Sampling {
    SamplingOptions of(int choice);
  }

  Question {
    prompts = List.copyOf(prompts);
  }

  /** All answers. */
  int total() {
    return prompts.size() * choices;
  }

  /** Whether the tokens of the prompt are to be scored. */
  boolean scoresPrompt() {
    return echo && alternatives != GenerationRequest.NONE;
  }

  /**
   * The request for an answer.
   *
   * @param answer counted over all prompts
   * @param prompt the tokens of its prompt
   */
  GenerationRequest request(int answer, int[] prompt) {
    return settings
        .apply(GenerationRequest.builder(Prompt.tokens(prompt)))
        .sampling(sampling.of(answer % choices))
        .logProbabilities(alternatives)
        .build();
  }

  /** What scores a prompt of at least two tokens, its first token as the context. */
  ScoreRequest score(int[] tokens) {
    GenerationRequest request = settings.apply(GenerationRequest.builder("")).build();
    int[] rest = Arrays.copyOfRange(tokens, 1, tokens.length);
    return new ScoreRequest(
        new Prompt.Tokens(tokens[0]),
        List.of(new Prompt.Tokens(rest)),
        request.recurrence(),
        request.initialState(),
        request.decoding(),
        alternatives);
  }
}
