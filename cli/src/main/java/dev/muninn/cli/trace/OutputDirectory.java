package dev.muninn.cli.trace;

import dev.muninn.weights.AtomicFile;
import dev.muninn.weights.CheckpointException;
import dev.muninn.weights.DirectoryTree;
import dev.muninn.weights.Scratch;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * A directory that appears whole or not at all: its files are written to a hidden one beside it,
 * which is moved to its name by {@link #commit} and removed without it, also by Ctrl-C; what a kill
 * leaves, the next run removes.
 */
public final class OutputDirectory implements AutoCloseable {
  /** Longer than a command that was interrupted is given to end by itself. */
  private static final Duration PATIENCE = Duration.ofMillis(5_500);

  private final Path asked;
  private final Path target;
  private final Scratch scratch;
  private final boolean replace;

  private OutputDirectory(Path asked, Path target, Scratch scratch, boolean replace) {
    this.asked = asked;
    this.target = target;
    this.scratch = scratch;
    this.replace = replace;
  }

  /**
   * Begins a directory; its parents are made.
   *
   * @param target does not exist, or is an empty directory, or with {@code replace} one with
   *     nothing but files of these names
   * @param names what the directory may hold: nothing else is ever replaced
   * @throws IOException if it cannot be written, or the name is taken
   */
  public static OutputDirectory begin(Path target, boolean replace, Set<String> names)
      throws IOException {
    // Writes the target of a link, not the link.
    Path real = Files.exists(target) ? target.toRealPath() : target.toAbsolutePath().normalize();
    requireFree(target, real, replace, names);
    if (real.getParent() == null) {
      throw new FileSystemException(target.toString(), null, "no directory to write to");
    }
    createParents(real.getParent());
    Scratch scratch = null;
    try {
      scratch = Scratch.beside(real);
      scratch.removeAtExit(PATIENCE);
      Files.createDirectory(scratch.path());
      return new OutputDirectory(target, real, scratch, replace);
    } catch (IOException e) {
      if (scratch != null) {
        scratch.close();
      }
      throw AtomicFile.named(target, e);
    }
  }

  /** A directory that is only worked in. */
  public static OutputDirectory temporary() throws IOException {
    Scratch scratch = Scratch.temporaryDirectory(PATIENCE);
    return new OutputDirectory(scratch.path(), scratch.path(), scratch, false);
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

  /** The directory that files are written to. */
  public Path work() {
    return scratch.path();
  }

  /**
   * Makes the directory appear.
   *
   * @throws IOException if it cannot be moved, or if the name has been taken meanwhile
   */
  public void commit() throws IOException {
    DirectoryTree.force(scratch.path());
    if (replace && Files.exists(target)) {
      scratch.replace(target);
    } else {
      // An empty directory gives way to a move, one with files does not.
      scratch.moveTo(target);
    }
  }

  /** A failure to write there, by the name that was asked for and not by the hidden one. */
  public IOException named(IOException problem) {
    return problem instanceof FileSystemException known && known.getFile() != null
        ? AtomicFile.named(asked(known.getFile()), problem)
        : AtomicFile.named(asked, problem);
  }

  private Path asked(String file) {
    Path path = Path.of(file);
    return path.startsWith(scratch.path()) ? asked.resolve(scratch.path().relativize(path)) : path;
  }

  /** As {@link #named(IOException)}. */
  public CheckpointException named(CheckpointException problem) {
    return new CheckpointException(
        problem.getMessage().replace(scratch.path().toString(), asked.toString()), problem);
  }

  @Override
  public void close() throws IOException {
    scratch.close();
  }
}
