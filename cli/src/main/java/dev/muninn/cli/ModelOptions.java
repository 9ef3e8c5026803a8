package dev.muninn.cli;

import dev.muninn.LanguageModel;
import dev.muninn.LoadOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import picocli.CommandLine.Option;

/** Which model computes, and on how many threads. */
@HelpHeading("Model")
final class ModelOptions {
  @Option(
      names = {"-m", "--model"},
      paramLabel = "DIR",
      description = "Model directory (default: built-in raven-tiny).")
  private Path directory;

  @Option(
      names = "--threads",
      paramLabel = "N",
      converter = NumberConverters.Positive.class,
      description = "Computing threads (default: physical cores).")
  private Integer threads;

  LanguageModel load(Map<String, String> environment) throws IOException {
    LoadOptions options = threads == null ? LoadOptions.defaults() : new LoadOptions(threads);
    return LanguageModel.load(orBuiltIn(directory, environment), options);
  }

  /** The directory that was asked for, or else the built-in model's. */
  static Path orBuiltIn(Path directory, Map<String, String> environment) throws IOException {
    return directory == null ? EmbeddedModel.read().directory(environment) : directory;
  }
}
