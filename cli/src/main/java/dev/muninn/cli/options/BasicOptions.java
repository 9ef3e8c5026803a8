package dev.muninn.cli.options;

import dev.muninn.cli.help.HelpHeading;
import picocli.CommandLine.Option;

/** Options that every command has. */
@HelpHeading("Output")
public class BasicOptions {
  public static final String VERBOSE = "--verbose";

  // The orders keep these two below a command's own options.
  @Option(names = VERBOSE, order = 1, description = "Print the stack trace of a failure.")
  private boolean verbose;

  @Option(
      names = {"-h", "--help"},
      usageHelp = true,
      order = 2,
      description = "Print this help.")
  private boolean help;
}
