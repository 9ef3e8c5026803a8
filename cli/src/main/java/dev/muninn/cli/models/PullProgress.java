package dev.muninn.cli.models;

import java.time.Duration;

/** Is told about the progress of a pull. */
interface PullProgress extends AutoCloseable {

  /** A file's turn; {@code title} is its name, and what happens to it. */
  void file(String title, RemoteFile file);

  /** Bytes of the file that are there. */
  void at(long bytes);

  /** The file is whole. */
  void fileEnded(RemoteFile file);

  /** Something went wrong and is tried again. */
  void pause(String why, Duration duration);

  /** A line for the user. */
  void note(String line);

  @Override
  void close();
}
