package dev.muninn.cli;

/** The exit codes of {@code muninn}. */
final class ExitCode {
  static final int OK = 0;
  static final int FAILED = 1;
  static final int USAGE = 2;

  /** What a shell reports of a program that Ctrl-C ended: 128 + SIGINT. */
  static final int INTERRUPTED = 130;

  private ExitCode() {}
}
