package dev.muninn.cli.options;

import dev.muninn.LanguageModel;
import dev.muninn.LoadOptions;
import dev.muninn.backend.Backends;
import dev.muninn.cli.cache.EmbeddedModel;
import dev.muninn.cli.help.HelpHeading;
import dev.muninn.cli.models.ModelStore;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** Which model computes, and on how many threads. */
@HelpHeading("Model")
public final class ModelOptions {
  /** The name of the built-in model. */
  public static final String BUILT_IN = EmbeddedModel.NAME;

  @Option(
      names = {"-m", "--model"},
      paramLabel = "MODEL",
      description = "Directory, or OWNER/NAME of a pulled one (default: built-in raven-tiny).")
  private Path model;

  @Option(
      names = "--threads",
      paramLabel = "N",
      converter = NumberConverters.Threads.class,
      description = "Computing threads (default: physical cores).")
  private Integer threads;

  @Option(
      names = "--backend",
      paramLabel = "NAME",
      converter = BackendName.class,
      description =
          "What computes: vector (the CPU), tornado (a device of TornadoVM), or auto: a GPU with"
              + " enough memory, else the CPU (default: auto).")
  private String backend = Backends.AUTO;

  @Option(
      names = "--device",
      paramLabel = "ID",
      description = "Which device: an id that 'muninn devices' lists.")
  private String device;

  /** One of the backends' names. */
  static final class BackendName implements ITypeConverter<String> {
    @Override
    public String convert(String value) {
      if (!Backends.NAMES.contains(value)) {
        throw new TypeConversionException(
            "'" + value + "' is none of " + String.join(", ", Backends.NAMES));
      }
      return value;
    }
  }

  /** Opens the model that was asked for, or else the built-in one. */
  public LanguageModel load(Map<String, String> environment) throws IOException {
    return load(orBuiltIn(model, environment));
  }

  /** Opens a model of a directory as the options say. */
  public LanguageModel load(Path directory) {
    return LanguageModel.load(directory, loadOptions());
  }

  /** The request as it was typed. */
  public Optional<Path> requested() {
    return Optional.ofNullable(model);
  }

  /** How a model is opened. */
  public LoadOptions loadOptions() {
    int count = threads == null ? LoadOptions.defaults().threads() : threads;
    return new LoadOptions(count, backend, Optional.ofNullable(device));
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
  public static Path orBuiltIn(Path asked, Map<String, String> environment) throws IOException {
    return asked == null
        ? EmbeddedModel.read().directory(environment)
        : ModelStore.locate(asked, environment);
  }
}
