package dev.muninn.weights;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.UUID;

/** Files that appear under their names whole or not at all. */
public final class AtomicFile {
  private AtomicFile() {}

  /** Writes a file, or replaces what is there. */
  public static void write(Path target, byte[] contents) throws IOException {
    Path temporary = target.resolveSibling(".muninn-" + UUID.randomUUID() + ".tmp");
    try {
      Files.write(temporary, contents);
      Files.move(
          temporary, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } finally {
      Files.deleteIfExists(temporary);
    }
  }

  /** Fails early where {@link #write} would fail after the work is done. */
  public static void requireWritable(Path target) throws IOException {
    Path directory = target.toAbsolutePath().getParent();
    if (directory == null || Files.isDirectory(target)) {
      throw new IOException(target + " is a directory; expected a file's name");
    }
    if (!Files.isDirectory(directory)) {
      throw new NoSuchFileException(directory.toString());
    }
    if (!Files.isWritable(directory)) {
      throw new IOException(directory + " cannot be written to");
    }
  }
}
