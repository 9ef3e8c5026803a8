package dev.muninn.cli.models;

import dev.muninn.weights.ProcessLock;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/** Lets one pull or removal at a time into a model's folder; the system frees it when it dies. */
final class PullLock {
  private static final String NAME = "lock";

  private PullLock() {}

  /**
   * Takes the lock, or not if another has it.
   *
   * @param state the folder of the pull's own files
   */
  static Optional<ProcessLock> tryTake(Path state) throws IOException {
    return ProcessLock.tryTake(state.resolve(NAME));
  }
}
