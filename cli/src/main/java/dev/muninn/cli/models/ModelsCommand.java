package dev.muninn.cli.models;

import dev.muninn.cli.help.CommandSection;
import dev.muninn.cli.options.OutputOptions;
import dev.muninn.cli.output.Json;
import dev.muninn.cli.output.Units;
import dev.muninn.cli.process.ExitCode;
import dev.muninn.cli.terminal.StandardStreams;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Lists the models that were pulled. */
@CommandSection.In(CommandSection.MODELS)
@Command(
    name = "models",
    description = "Lists the models that were pulled, or removes them.",
    customSynopsis = {"muninn models [OPTION]...", "       muninn models rm OWNER/NAME..."})
public final class ModelsCommand implements Callable<Integer> {
  private final StandardStreams streams;
  private final Map<String, String> environment;

  @Mixin private final OutputOptions outputOptions = new OutputOptions();

  private ModelsCommand(StandardStreams streams, Map<String, String> environment) {
    this.streams = streams;
    this.environment = environment;
  }

  /** The command with its subcommand. */
  public static CommandLine create(StandardStreams streams, Map<String, String> environment) {
    return new CommandLine(new ModelsCommand(streams, environment))
        .addSubcommand(new RemoveCommand(streams, environment));
  }

  @Override
  public Integer call() throws IOException {
    ModelStore store = ModelStore.of(environment);
    List<ModelStore.Entry> entries = store.list();
    streams.out().write(outputOptions.json() ? json(store, entries) : table(entries));
    streams.out().flush();
    if (entries.isEmpty() && !outputOptions.json()) {
      streams.err().println("no models in " + store.root());
    }
    return ExitCode.OK;
  }

  private static String table(List<ModelStore.Entry> entries) {
    int width = "MODEL".length();
    int revisionWidth = "REVISION".length();
    for (ModelStore.Entry entry : entries) {
      width = Math.max(width, entry.name().length());
      revisionWidth = Math.max(revisionWidth, revision(entry).length());
    }
    String pattern = "%-" + width + "s  %9s  %-" + revisionWidth + "s  %s\n";
    StringBuilder table = new StringBuilder();
    if (!entries.isEmpty()) {
      table.append(Units.format(pattern, "MODEL", "SIZE", "REVISION", "COMMIT"));
    }
    for (ModelStore.Entry entry : entries) {
      String commit = entry.manifest().map(Manifest::commit).orElse("-");
      table.append(
          Units.format(pattern, entry.name(), Units.bytes(entry.bytes()), revision(entry), commit));
    }
    return table.toString();
  }

  private static String revision(ModelStore.Entry entry) {
    return entry.manifest().map(Manifest::revision).orElse(entry.incomplete() ? "incomplete" : "-");
  }

  private static String json(ModelStore store, List<ModelStore.Entry> entries) {
    return Json.object(generator -> {
      generator.writeStringProperty("directory", store.root().toString());
      generator.writeArrayPropertyStart("models");
      for (ModelStore.Entry entry : entries) {
        generator.writeStartObject();
        generator.writeStringProperty("model", entry.name());
        generator.writeStringProperty("directory", entry.directory().toString());
        generator.writeNumberProperty("bytes", entry.bytes());
        generator.writeBooleanProperty("complete", !entry.incomplete());
        generator.writeStringProperty(
            "revision", entry.manifest().map(Manifest::revision).orElse(null));
        generator.writeStringProperty(
            "commit", entry.manifest().map(Manifest::commit).orElse(null));
        generator.writeEndObject();
      }
      generator.writeEndArray();
    });
  }
}
