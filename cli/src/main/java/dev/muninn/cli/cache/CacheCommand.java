package dev.muninn.cli.cache;

import dev.muninn.cli.help.CommandSection;
import dev.muninn.cli.help.HelpHeading;
import dev.muninn.cli.options.OutputOptions;
import dev.muninn.cli.output.Json;
import dev.muninn.cli.output.Units;
import dev.muninn.cli.process.ExitCode;
import dev.muninn.cli.terminal.StandardStreams;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Lists the files that Muninn unpacked, and removes those that no program needs. */
@CommandSection.In(CommandSection.PROGRAM)
@HelpHeading("Cache")
@Command(
    name = "cache",
    description = "Lists what the single binary unpacked, or removes old versions.",
    customSynopsis = "muninn cache [OPTION]...")
public final class CacheCommand implements Callable<Integer> {
  private final StandardStreams streams;
  private final Map<String, String> environment;

  @Option(names = "--clean", description = "Remove all but this version and running ones.")
  private boolean clean;

  @Mixin private final OutputOptions outputOptions = new OutputOptions();

  public CacheCommand(StandardStreams streams, Map<String, String> environment) {
    this.streams = streams;
    this.environment = environment;
  }

  @Override
  public Integer call() throws IOException {
    CacheDirectory cache = CacheDirectory.of(environment);
    cache.check(environment);
    List<CacheDirectory.Entry> entries = cache.entries(EmbeddedModel.read().version());
    if (entries.isEmpty()) {
      cache.requireWritable(environment);
    }
    if (clean) {
      entries = entries.stream().filter(entry -> entry.use() == null).toList();
      for (CacheDirectory.Entry entry : entries) {
        cache.remove(entry);
      }
    }
    streams.out().write(outputOptions.json() ? json(cache, entries) : text(cache, entries));
    streams.out().flush();
    return ExitCode.OK;
  }

  private String text(CacheDirectory cache, List<CacheDirectory.Entry> entries) {
    StringBuilder text = new StringBuilder(cache.path() + "\n");
    for (CacheDirectory.Entry entry : entries) {
      String what = entry.kind().description;
      if (entry.use() != null) {
        what += ", " + entry.use();
      }
      text.append(
          Units.format(
              "  %-28s %-32s %9s%n", name(entry.path()), what, Units.bytes(entry.bytes())));
    }
    long bytes = entries.stream().mapToLong(CacheDirectory.Entry::bytes).sum();
    String action = clean ? "removed" : "kept";
    return text.append(
            entries.isEmpty()
                ? clean ? "nothing to remove\n" : "empty\n"
                : Units.format("%s %s%n", action, Units.bytes(bytes)))
        .toString();
  }

  private String json(CacheDirectory cache, List<CacheDirectory.Entry> entries) {
    return Json.object(generator -> {
      generator.writeStringProperty("directory", cache.path().toString());
      generator.writeArrayPropertyStart(clean ? "removed" : "entries");
      for (CacheDirectory.Entry entry : entries) {
        generator.writeStartObject();
        generator.writeStringProperty("name", entry.path().getFileName().toString());
        generator.writeStringProperty("kind", entry.kind().description);
        generator.writeNumberProperty("bytes", entry.bytes());
        generator.writeStringProperty("use", entry.use());
        generator.writeEndObject();
      }
      generator.writeEndArray();
    });
  }

  /** A hash is known by its beginning. */
  private static String name(Path path) {
    String name = path.getFileName().toString();
    return name.length() > 28 ? name.substring(0, 25) + "..." : name;
  }
}
