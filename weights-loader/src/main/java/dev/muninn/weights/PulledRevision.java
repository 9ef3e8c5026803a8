package dev.muninn.weights;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Objects;

/**
 * Which revision a folder has, if it was pulled: while a pull moves files there, the folder is a
 * mixture of two, of which each may look whole.
 */
final class PulledRevision {
  private final Path directory;
  private final Object pulled;

  private PulledRevision(Path directory, Object pulled) {
    this.directory = directory;
    this.pulled = pulled;
  }

  /**
   * Looks at a folder.
   *
   * @throws CheckpointException if a pull is moving files there, or was stopped while it did
   */
  static PulledRevision of(Path directory) {
    Path state = directory.resolve(Checkpoint.PULL_FOLDER);
    if (Files.exists(state.resolve(Checkpoint.UNFINISHED), LinkOption.NOFOLLOW_LINKS)) {
      throw CheckpointException.refusal(
          directory,
          "a pull that was stopped while it moved files, or still moves them",
          "all files of one revision: 'muninn pull' with the same arguments completes it");
    }
    Object pulled = null;
    try {
      BasicFileAttributes manifest =
          Files.readAttributes(state.resolve(Checkpoint.PULLED), BasicFileAttributes.class);
      pulled = manifest.lastModifiedTime();
    } catch (IOException none) {
      // Not pulled.
    }
    return new PulledRevision(directory, pulled);
  }

  /**
   * Looks again.
   *
   * @throws CheckpointException if another revision was pulled since then
   */
  void verifySame() {
    if (!Objects.equals(of(directory).pulled, pulled)) {
      throw CheckpointException.refusal(
          directory,
          "another revision, pulled while it was opened",
          "a folder that stays as it is meanwhile");
    }
  }
}
