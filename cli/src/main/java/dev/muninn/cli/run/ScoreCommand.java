package dev.muninn.cli.run;

import dev.muninn.LanguageModel;
import dev.muninn.cli.help.CommandSection;
import dev.muninn.cli.options.DepthOptions;
import dev.muninn.cli.options.DepthWarning;
import dev.muninn.cli.options.ModelOptions;
import dev.muninn.cli.options.OutputOptions;
import dev.muninn.cli.options.PromptOptions;
import dev.muninn.cli.output.Json;
import dev.muninn.cli.output.Units;
import dev.muninn.cli.process.ExitCode;
import dev.muninn.cli.terminal.Printable;
import dev.muninn.cli.terminal.StandardStreams;
import dev.muninn.decode.InitialState;
import dev.muninn.serve.Score;
import dev.muninn.text.Prompt;
import dev.muninn.text.Tokenizer;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Says how likely a model finds a text. */
@Command(
    name = "score",
    description = "Prints the log-probability of each token of a text.",
    customSynopsis = "muninn score [OPTION]... [PROMPT]")
@CommandSection.In(CommandSection.RUN)
public final class ScoreCommand implements Callable<Integer> {
  private final StandardStreams streams;
  private final Map<String, String> environment;

  @Mixin private final ModelOptions modelOptions = new ModelOptions();

  @Mixin private final PromptOptions promptOptions = new PromptOptions();

  @Mixin private final DepthOptions depthOptions = new DepthOptions();

  @Mixin private final OutputOptions outputOptions = new OutputOptions();

  public ScoreCommand(StandardStreams streams, Map<String, String> environment) {
    this.streams = streams;
    this.environment = environment;
  }

  @Override
  public Integer call() throws IOException {
    promptOptions.requireOne();
    InitialState initialState = depthOptions.initialState();
    Prompt prompt = promptOptions.read(streams.in());
    try (LanguageModel model = modelOptions.load(environment)) {
      DepthWarning.check(streams, model.architecture(), List.of(depthOptions.recurrence()));
      depthOptions.warnIfUnused(streams, model.architecture());
      Score score = model.score(prompt, depthOptions.recurrence(), initialState);
      streams.out().write(outputOptions.json() ? json(score) : lines(score, model.tokenizer()));
      streams.out().flush();
    }
    return ExitCode.OK;
  }

  private static String json(Score score) {
    return Json.object(generator -> {
      Json.integers(generator, "tokens", score.tokens());
      generator.writeArrayPropertyStart("logprobs");
      for (double logProbability : score.logProbabilities()) {
        Json.number(generator, logProbability);
      }
      generator.writeEndArray();
      Json.number(generator, "perplexity", score.perplexity());
    });
  }

  private static String lines(Score score, Optional<Tokenizer> tokenizer) {
    StringBuilder lines = new StringBuilder();
    for (int i = 0; i < score.tokens().size(); i++) {
      int token = score.tokens().get(i);
      String logProbability =
          i == 0 ? "-" : Units.format("%.4f", score.logProbabilities().get(i - 1));
      String piece =
          tokenizer.map(t -> "  " + Printable.quoted(t.decode(new int[] {token}))).orElse("");
      lines.append(Units.format("%6d  %10s%s\n", token, logProbability, piece));
    }
    return lines
        .append(
            Units.format(
                "%s, log-likelihood %.4f, perplexity %.4f\n",
                Units.count(score.tokens().size(), "token"),
                score.logLikelihood(),
                score.perplexity()))
        .toString();
  }
}
