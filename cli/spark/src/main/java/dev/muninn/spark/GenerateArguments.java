package dev.muninn.spark;

import dev.muninn.cli.options.CacheOptions;
import dev.muninn.cli.options.EarlyExitOptions;
import dev.muninn.cli.options.LengthOptions;
import dev.muninn.cli.options.SamplerOptions;
import dev.muninn.cli.options.StrategyOptions;
import dev.muninn.decode.DecodingOptions;
import dev.muninn.serve.GenerationRequest;
import dev.muninn.text.Prompt;
import java.io.IOException;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** What {@code generate} can say of many prompts. */
@Command(
    name = "Generate",
    description = "Continues the prompts of a file on Apache Spark.",
    customSynopsis = "spark-submit --class dev.muninn.spark.Generate JAR [OPTION]... INPUT OUTPUT")
final class GenerateArguments extends RowArguments implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Mixin private final EarlyExitOptions exit = new EarlyExitOptions();

  @Mixin private final CacheOptions cache = new CacheOptions();

  @Mixin private final SamplerOptions sampler = new SamplerOptions();

  @Mixin private final LengthOptions length = new LengthOptions();

  @Option(
      names = "--warm-start",
      description = "Start a token from the state the last one ended in.")
  private boolean warmStart;

  @Override
  void requireConsistency() {
    super.requireConsistency();
    request(Prompt.tokens(0), null);
  }

  /**
   * The request of a row.
   *
   * @param id the row's, from which its sampling seed derives; null for the job's own seed
   */
  GenerationRequest request(Prompt prompt, String id) {
    DecodingOptions decoding =
        new StrategyOptions().decodingOptions(exit.exitOptions(), cache).withWarmStart(warmStart);
    return length
        .limit(GenerationRequest.builder(prompt))
        .recurrence(depth().recurrence())
        .initialState(depth().initialState())
        .sampling(sampler.samplingOptions(depth().seed(), id))
        .decoding(decoding)
        .build();
  }

  @Override
  public Integer call() throws IOException {
    GenerateOptions options =
        GenerateOptions.of(spec.commandLine().getParseResult().originalArgs());
    return RowCommand.run(
        "Muninn Generate", this, (rows, metrics) -> new GenerateJob(options, rows, metrics));
  }
}
