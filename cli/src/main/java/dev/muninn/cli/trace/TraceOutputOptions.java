package dev.muninn.cli.trace;

import dev.muninn.cli.options.OutputOptions;
import dev.muninn.cli.options.UsageException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import picocli.CommandLine.Option;

/** Options for a trace's output. */
final class TraceOutputOptions extends OutputOptions {
  @Option(
      names = {"-o", "--out"},
      paramLabel = "DIR",
      description =
          "New directory for the report, figures, tables and latent states (default: only the"
              + " summary is printed).")
  private Path out;

  @Option(names = "--force", description = "Replace an earlier trace in --out.")
  private boolean force;

  Optional<Path> out() {
    return Optional.ofNullable(out);
  }

  void requireConsistent() {
    if (force && out == null) {
      throw new UsageException("--force needs --out");
    }
  }

  /** The directory to write to, which appears when it is committed. */
  OutputDirectory directory() throws IOException {
    return out == null
        ? OutputDirectory.temporary()
        : OutputDirectory.begin(out, force, TraceReport.NAMES);
  }
}
