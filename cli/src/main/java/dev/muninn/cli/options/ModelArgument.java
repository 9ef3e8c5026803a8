package dev.muninn.cli.options;

import dev.muninn.cli.help.HelpHeading;
import java.nio.file.Path;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** A model that a command is about and does not compute with. */
@HelpHeading("Model")
public final class ModelArgument {
  @Parameters(
      arity = "0..1",
      paramLabel = "MODEL",
      description = "Directory, or OWNER/NAME of a pulled one (default: built-in raven-tiny).")
  private Path argument;

  // As the other commands have it.
  @Option(
      names = {"-m", "--model"},
      paramLabel = "MODEL",
      description = "The same, as for the other commands.")
  private Path option;

  /** The model as it was typed; null if none was. */
  public Path model() {
    if (argument != null && option != null) {
      throw new UsageException("more than one model: give it as MODEL or as --model");
    }
    return argument == null ? option : argument;
  }
}
