package dev.muninn.cli.models;

import dev.muninn.cli.help.CommandSection;
import dev.muninn.cli.help.HelpHeading;
import dev.muninn.cli.options.OutputOptions;
import dev.muninn.cli.options.RecipeName;
import dev.muninn.cli.options.UsageException;
import dev.muninn.cli.output.Json;
import dev.muninn.cli.output.Units;
import dev.muninn.cli.process.ExitCode;
import dev.muninn.cli.terminal.StandardStreams;
import dev.muninn.cli.terminal.Terminal;
import dev.muninn.prepare.Recipe;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Fetches a model. */
@CommandSection.In(CommandSection.MODELS)
@Command(
    name = "pull",
    description = {
      "Fetches a model from a Hugging Face endpoint.",
      "Takes the files that a checkpoint needs, checked by size and SHA-256. What was"
          + " interrupted is continued. Afterwards -m OWNER/NAME finds the model. Prints its folder."
    },
    customSynopsis = "muninn pull [OPTION]... OWNER/NAME[@REVISION]",
    footer = {
      "",
      "Environment:",
      "  HF_ENDPOINT            Where to find models (default: https://huggingface.co).",
      "  HF_TOKEN               Access token, sent only to the endpoint's host.",
      "  HTTPS_PROXY, NO_PROXY  Proxy, and hosts without one; HTTP_PROXY and ALL_PROXY too.",
      "  MUNINN_MODELS          Models directory (~/.local/share/muninn/models)."
    })
public final class PullCommand implements Callable<Integer> {
  private final StandardStreams streams;
  private final Map<String, String> environment;

  @Mixin private final Source source = new Source();

  @Mixin private final OutputOptions outputOptions = new OutputOptions();

  public PullCommand(StandardStreams streams, Map<String, String> environment) {
    this.streams = streams;
    this.environment = environment;
  }

  @HelpHeading("Model")
  private static final class Source {
    @Parameters(
        arity = "1",
        paramLabel = "OWNER/NAME[@REVISION]",
        description = "The model; a branch, a tag or a commit of it (default: main).")
    private String model;

    @Option(
        names = "--to",
        paramLabel = "DIR",
        description = "The folder for its files (default: its name in the models directory).")
    private Path directory;

    @Option(
        names = "--quantize",
        paramLabel = "TYPE",
        converter = RecipeName.class,
        description =
            "Prepare each file of weights when it has come, and delete it: bf16, q8, q4 or mixed, as"
                + " 'muninn quantize' does.")
    private Recipe recipe;
  }

  @Override
  public Integer call() throws IOException {
    ModelReference model =
        ModelReference.parse(source.model)
            .orElseThrow(() ->
                new UsageException(
                    "expected OWNER/NAME or OWNER/NAME@REVISION, not '" + source.model + "'"));
    Endpoint endpoint = Endpoint.of(environment);
    Path directory =
        source.directory == null ? ModelStore.of(environment).directory(model) : source.directory;
    Pull.Result result;
    try (PullProgress progress = new ConsoleProgress(streams.err(), Terminal.isStandardError())) {
      result =
          new Pull(
                  endpoint,
                  model,
                  directory,
                  Optional.ofNullable(source.recipe),
                  Patience.DEFAULT,
                  progress)
              .run();
    }
    Manifest manifest = result.manifest();
    if (!outputOptions.json()) {
      streams
          .err()
          .println(
              Units.format(
                  "%s at %s (commit %s): %s, %s, %s fetched",
                  manifest.model(),
                  manifest.revision(),
                  manifest.commit(),
                  Units.count(manifest.files().size(), "file"),
                  Units.bytes(result.bytes()),
                  Units.bytes(result.fetchedBytes())));
    }
    streams.out().write(outputOptions.json() ? json(result, directory) : directory + "\n");
    streams.out().flush();
    return ExitCode.OK;
  }

  private static String json(Pull.Result result, Path directory) {
    return Json.object(generator -> {
      generator.writeStringProperty("model", result.manifest().model());
      generator.writeStringProperty("revision", result.manifest().revision());
      generator.writeStringProperty("commit", result.manifest().commit());
      if (!result.manifest().prepared().isEmpty()) {
        generator.writeStringProperty("prepared", result.manifest().prepared());
      }
      generator.writeStringProperty("directory", directory.toString());
      generator.writeArrayPropertyStart("files");
      result.manifest().files().forEach(generator::writeString);
      generator.writeEndArray();
      generator.writeNumberProperty("bytes", result.bytes());
      generator.writeNumberProperty("fetched_bytes", result.fetchedBytes());
    });
  }
}
