package dev.muninn.cli;

import dev.muninn.cli.process.StartUp;
import dev.muninn.cli.terminal.StandardStreams;

/** Runs the {@code muninn} command. */
public final class Main {
  private Main() {}

  /**
   * Runs one command and ends the JVM with its exit code.
   *
   * @param arguments a subcommand and its options
   */
  public static void main(String[] arguments) {
    StartUp.enter();
    System.exit(MuninnCommand.run(StandardStreams.ofProcess(), System.getenv(), arguments));
  }
}
