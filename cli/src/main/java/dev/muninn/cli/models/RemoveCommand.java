package dev.muninn.cli.models;

import dev.muninn.cli.help.CommandSection;
import dev.muninn.cli.help.HelpHeading;
import dev.muninn.cli.options.OutputOptions;
import dev.muninn.cli.options.UsageException;
import dev.muninn.cli.output.Json;
import dev.muninn.cli.output.Units;
import dev.muninn.cli.process.ExitCode;
import dev.muninn.cli.terminal.StandardStreams;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** Removes models that were pulled. */
@CommandSection.In(CommandSection.MODELS)
@Command(
    name = "rm",
    description = "Removes models from the models directory.",
    customSynopsis = "muninn models rm [OPTION]... OWNER/NAME...")
final class RemoveCommand implements Callable<Integer> {
  private final StandardStreams streams;
  private final Map<String, String> environment;

  @Mixin private final Models models = new Models();

  @Mixin private final OutputOptions outputOptions = new OutputOptions();

  RemoveCommand(StandardStreams streams, Map<String, String> environment) {
    this.streams = streams;
    this.environment = environment;
  }

  @HelpHeading("Models")
  private static final class Models {
    @Parameters(arity = "1..*", paramLabel = "OWNER/NAME", description = "What to remove.")
    private List<String> names = new ArrayList<>();
  }

  @Override
  public Integer call() throws IOException {
    List<ModelReference> references = new ArrayList<>();
    for (String name : models.names) {
      references.add(
          ModelReference.parse(name)
              .filter(reference -> reference.revision().isEmpty())
              .orElseThrow(() -> new UsageException("expected OWNER/NAME, not '" + name + "'")));
    }
    ModelStore store = ModelStore.of(environment);
    for (ModelReference reference : references) {
      long bytes = store.remove(reference);
      if (!outputOptions.json()) {
        streams.out().write("removed " + reference.model() + ", " + Units.bytes(bytes) + "\n");
      } else {
        streams
            .out()
            .write(
                Json.object(generator -> {
                  generator.writeStringProperty("removed", reference.model());
                  generator.writeNumberProperty("bytes", bytes);
                }));
      }
      streams.out().flush();
    }
    return ExitCode.OK;
  }
}
