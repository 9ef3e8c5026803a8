package dev.muninn.cli;

import dev.muninn.LanguageModel;
import dev.muninn.LoadOptions;
import dev.muninn.cli.models.ModelStore;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine.Option;

/** Which model computes, and on how many threads. */
@HelpHeading("Model")
public final class ModelOptions {
  /** What the model in the program's own jar is called. */
  public static final String BUILT_IN = EmbeddedModel.NAME;

  @Option(
      names = {"-m", "--model"},
      paramLabel = "MODEL",
      description = "Directory, or OWNER/NAME of a pulled one (default: built-in raven-tiny).")
  private Path model;

  @Option(
      names = "--threads",
      paramLabel = "N",
      converter = NumberConverters.Positive.class,
      description = "Computing threads (default: physical cores).")
  private Integer threads;

  /** Opens the model that was asked for, or else the built-in one. */
  public LanguageModel load(Map<String, String> environment) throws IOException {
    return load(orBuiltIn(model, environment));
  }

  /** Opens a model of a directory as the options say. */
  public LanguageModel load(Path directory) {
    return LanguageModel.load(directory, loadOptions());
  }

  /** What was asked for, as it was written. */
  public Optional<Path> requested() {
    return Optional.ofNullable(model);
  }

  /** How a model is opened. */
  public LoadOptions loadOptions() {
    return threads == null ? LoadOptions.defaults() : new LoadOptions(threads);
  }

  /** The model's name, for people. */
  public String name() {
    if (model == null) {
      return EmbeddedModel.NAME;
    }
    Path name = model.toAbsolutePath().normalize().getFileName();
    return name == null ? model.toString() : name.toString();
  }

  /** The directory of the model that was asked for by path or name, or else the built-in one's. */
  static Path orBuiltIn(Path asked, Map<String, String> environment) throws IOException {
    return asked == null
        ? EmbeddedModel.read().directory(environment)
        : ModelStore.locate(asked, environment);
  }
}
