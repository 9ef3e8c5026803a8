package dev.muninn.spark;

import dev.muninn.LoadOptions;
import dev.muninn.backend.Backends;
import dev.muninn.cli.help.HelpHeading;
import java.util.Optional;
import picocli.CommandLine.Option;

/** Which model the executors open. */
@HelpHeading("Model")
final class ModelOptions {
  @Option(
      names = {"-m", "--model"},
      paramLabel = "MODEL",
      description =
          "Directory on every worker, or its name in --archives, or . for --files, or OWNER/NAME,"
              + " which each worker pulls (default: built-in raven-tiny).")
  private String model;

  @Option(
      names = "--backend",
      paramLabel = "NAME",
      description = "What computes: vector, tornado or auto (default: auto).")
  private String backend = Backends.AUTO;

  @Option(
      names = "--device",
      paramLabel = "ID",
      description = "Which device: an id that 'muninn devices' lists.")
  private String device;

  /** What the executors open. */
  ModelSource source() {
    if (model != null && model.isEmpty()) {
      throw new IllegalArgumentException("the model's path is empty");
    }
    // Refuses an unknown backend here rather than on the executors.
    new LoadOptions(1, backend, Optional.ofNullable(device));
    return new ModelSource(model, backend, device);
  }
}
