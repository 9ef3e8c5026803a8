package dev.muninn.cli.options;

import picocli.CommandLine.Option;

/** How a command says what it found. */
public class OutputOptions extends BasicOptions {
  @Option(names = "--json", description = "Print one JSON object.")
  private boolean json;

  /** Whether a program reads the output. */
  public final boolean json() {
    return json;
  }
}
