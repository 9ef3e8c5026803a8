package dev.muninn.cli.inspect;

import dev.muninn.cli.help.CommandSection;
import dev.muninn.cli.options.ModelArgument;
import dev.muninn.cli.options.ModelOptions;
import dev.muninn.cli.options.OutputOptions;
import dev.muninn.cli.process.ExitCode;
import dev.muninn.cli.terminal.StandardStreams;
import dev.muninn.family.ConfigReader;
import dev.muninn.family.ModelFamilies;
import dev.muninn.weights.Checkpoint;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Shows what a checkpoint holds, computing nothing. */
@Command(
    name = "inspect",
    description = "Prints a model's architecture, tensors and memory.",
    customSynopsis = "muninn inspect [OPTION]... [MODEL]")
@CommandSection.In(CommandSection.UNDERSTAND)
public final class InspectCommand implements Callable<Integer> {
  private final StandardStreams streams;
  private final Map<String, String> environment;

  @Mixin private final ModelArgument modelArgument = new ModelArgument();

  @Mixin private final OutputOptions outputOptions = new OutputOptions();

  public InspectCommand(StandardStreams streams, Map<String, String> environment) {
    this.streams = streams;
    this.environment = environment;
  }

  @Override
  public Integer call() throws IOException {
    Path model = ModelOptions.orBuiltIn(modelArgument.model(), environment);
    ConfigReader config = ConfigReader.of(model);
    ModelFamilies.requireKnown(config);
    try (Checkpoint checkpoint = Checkpoint.open(model)) {
      Inspection inspection = new Inspection(ModelFamilies.load(config, checkpoint), checkpoint);
      streams.out().write(outputOptions.json() ? inspection.json() : inspection.text());
      streams.out().flush();
    }
    return ExitCode.OK;
  }
}
