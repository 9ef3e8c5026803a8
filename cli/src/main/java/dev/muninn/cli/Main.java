package dev.muninn.cli;

import dev.muninn.cli.process.Arguments;
import dev.muninn.cli.process.ExitCode;
import dev.muninn.cli.process.StartUp;
import dev.muninn.cli.terminal.StandardStreams;
import java.io.IOException;

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
    StandardStreams streams = StandardStreams.ofProcess();
    int exitCode;
    try {
      exitCode = MuninnCommand.run(streams, System.getenv(), Arguments.asTyped(arguments));
    } catch (IOException e) {
      streams.err().println("muninn: " + e.getMessage());
      exitCode = ExitCode.USAGE;
    }
    System.exit(exitCode);
  }
}
