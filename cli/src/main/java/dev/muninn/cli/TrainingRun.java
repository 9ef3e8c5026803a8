package dev.muninn.cli;

import dev.muninn.cli.terminal.StandardStreams;
import java.io.InputStream;
import java.io.OutputStream;

/**
 * Typical commands, one after another. When the single binary is built, Java learns from them which
 * classes a start needs and which methods are worth compiling.
 */
public final class TrainingRun {
  private static final String[][] COMMANDS = {
    {"--version"},
    {"--help"},
    {"generate", "--help"},
    {"generate", "--no-such-option"},
    {"inspect"},
    {"score", "12+34=46"},
    {"generate", "47+8=", "--json"},
    {"generate", "--exit", "kl", "--stats", "7305918273645172="},
    {"generate", "47+8="},
  };

  private TrainingRun() {}

  /**
   * Runs them all.
   *
   * @param arguments none
   */
  public static void main(String[] arguments) {
    for (String[] command : COMMANDS) {
      StandardStreams streams =
          StandardStreams.of(
              InputStream.nullInputStream(), OutputStream.nullOutputStream(), System.err);
      MuninnCommand.run(streams, System.getenv(), command);
    }
  }
}
