package dev.muninn.cli.trace;

import dev.muninn.cli.files.DirectoryTree;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Stream;

/**
 * A directory that appears whole or not at all: its files are written to a hidden one beside it,
 * which is moved to its name by {@link #commit} and removed without it.
 */
public final class OutputDirectory implements AutoCloseable {
  private final Path target;
  private final Path work;
  private final boolean replace;
  private boolean committed;

  private OutputDirectory(Path target, Path work, boolean replace) {
    this.target = target;
    this.work = work;
    this.replace = replace;
  }

  /**
   * Begins a directory; its parents are made.
   *
   * @param target does not exist, or is an empty directory, or with {@code replace} one with
   *     nothing but files of these names
   * @param names what the directory may hold: nothing else is ever replaced
   * @throws IOException if it cannot be written, or something stands there
   */
  public static OutputDirectory begin(Path target, boolean replace, Set<String> names)
      throws IOException {
    // What a link leads to is written, not the link.
    Path real = Files.exists(target) ? target.toRealPath() : target.toAbsolutePath().normalize();
    requireFree(target, real, replace, names);
    if (real.getParent() == null) {
      throw new FileSystemException(target.toString(), null, "no directory to write to");
    }
    createParents(real.getParent());
    Path work = real.resolveSibling(".muninn-" + UUID.randomUUID() + ".tmp");
    Files.createDirectory(work);
    return new OutputDirectory(real, work, replace);
  }

  /** A directory that is only worked in. */
  public static OutputDirectory temporary() throws IOException {
    return new OutputDirectory(null, Files.createTempDirectory("muninn-"), false);
  }

  private static void createParents(Path parent) throws IOException {
    try {
      Files.createDirectories(parent);
    } catch (FileAlreadyExistsException e) {
      throw new FileSystemException(e.getFile(), null, "not a directory");
    }
  }

  private static void requireFree(Path target, Path real, boolean replace, Set<String> names)
      throws IOException {
    if (!Files.exists(real)) {
      return;
    }
    try (Stream<Path> list = Files.list(real)) {
      List<Path> entries = list.toList();
      Optional<Path> foreign =
          entries.stream()
              .filter(entry -> !names.contains(entry.getFileName().toString()))
              .findFirst();
      if (foreign.isPresent()) {
        throw new FileSystemException(
            target.toString(),
            null,
            "the directory holds " + foreign.get().getFileName() + ", which is not replaced");
      }
      if (!entries.isEmpty() && !replace) {
        throw new FileSystemException(
            target.toString(), null, "the directory is not empty; --force replaces what is there");
      }
    } catch (NotDirectoryException e) {
      throw new FileSystemException(target.toString(), null, "not a directory");
    }
  }

  /** Where files are written. */
  public Path work() {
    return work;
  }

  /**
   * Makes the directory appear.
   *
   * @throws IOException if it cannot be moved, or if something has come to stand there
   */
  public void commit() throws IOException {
    Path former = null;
    if (replace && Files.exists(target)) {
      former = target.resolveSibling(".muninn-" + UUID.randomUUID() + ".old");
      Files.move(target, former, StandardCopyOption.ATOMIC_MOVE);
    }
    try {
      // An empty directory gives way to a move, one with files does not.
      Files.move(work, target, StandardCopyOption.ATOMIC_MOVE);
      committed = true;
    } finally {
      if (former != null) {
        if (committed) {
          DirectoryTree.delete(former);
        } else {
          Files.move(former, target, StandardCopyOption.ATOMIC_MOVE);
        }
      }
    }
  }

  @Override
  public void close() throws IOException {
    if (!committed) {
      DirectoryTree.delete(work);
    }
  }
}
