package dev.muninn.spark;

import dev.muninn.decode.DecodingOptions;
import dev.muninn.serve.ScoreRequest;
import dev.muninn.text.Prompt;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** What {@code score} can say of many texts. */
@Command(
    name = "Score",
    description = "Gives the log-probability of each token of a file's texts, on Apache Spark.",
    customSynopsis = "spark-submit --class dev.muninn.spark.Score JAR [OPTION]... INPUT OUTPUT")
final class ScoreArguments extends RowArguments implements Callable<Integer> {
  @Spec private CommandSpec spec;

  /**
   * The request of a row: all tokens behind the first.
   *
   * @param tokens at least two
   */
  ScoreRequest request(int[] tokens) {
    return new ScoreRequest(
        new Prompt.Tokens(tokens[0]),
        List.of(new Prompt.Tokens(Arrays.copyOfRange(tokens, 1, tokens.length))),
        depth().recurrence(),
        depth().initialState(),
        DecodingOptions.defaults());
  }

  @Override
  public Integer call() throws IOException {
    ScoreOptions options = ScoreOptions.of(spec.commandLine().getParseResult().originalArgs());
    return RowCommand.run(
        "Muninn Score", this, (rows, metrics) -> new ScoreJob(options, rows, metrics));
  }
}
