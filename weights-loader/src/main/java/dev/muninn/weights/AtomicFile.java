package dev.muninn.weights;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFileAttributeView;
import java.util.regex.Pattern;

/**
 * Files that appear under their names whole or not at all, also after a power cut. A symbolic link
 * stays, and what it leads to is written. Devices, pipes and the program's own open files, such as
 * {@code /dev/stdout}, are written to as they are.
 */
public final class AtomicFile {
  private static final Pattern OPEN_FILE = Pattern.compile("/proc/.+/fd/\\d+|/dev/fd/\\d+");

  private static final int MOST_LINKS = 40;

  private AtomicFile() {}

  /**
   * Writes a file, or replaces what is there.
   *
   * @throws FileSystemException if it cannot be written; it names the file
   */
  public static void write(Path target, byte[] contents) throws IOException {
    Path file = destination(target);
    try {
      if (isDirect(file)) {
        // No truncation: it may be what standard output was redirected to.
        try (OutputStream out =
            Files.newOutputStream(file, StandardOpenOption.WRITE, StandardOpenOption.APPEND)) {
          out.write(contents);
        }
        return;
      }
      try (Scratch scratch = Scratch.beside(file)) {
        try (FileChannel channel =
            FileChannel.open(
                scratch.path(), StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
          ByteBuffer rest = ByteBuffer.wrap(contents);
          while (rest.hasRemaining()) {
            channel.write(rest);
          }
          channel.force(true);
        }
        keepPermissions(file, scratch.path());
        scratch.moveTo(file);
      }
    } catch (IOException problem) {
      throw named(target, problem);
    }
  }

  /** Fails early where {@link #write} would fail after the work is done. */
  public static void requireWritable(Path target) throws IOException {
    Path file = destination(target);
    if (Files.isDirectory(file)) {
      throw new IOException(target + " is a directory; expected a file's name");
    }
    if (isDirect(file)) {
      if (!Files.isWritable(file)) {
        throw new AccessDeniedException(target.toString());
      }
      return;
    }
    Path directory = file.toAbsolutePath().getParent();
    if (directory == null) {
      throw new IOException(target + " is a directory; expected a file's name");
    }
    if (!Files.isDirectory(directory)) {
      throw new NoSuchFileException(directory.toString());
    }
    if (!Files.isWritable(directory)) {
      throw new IOException(directory + " cannot be written to");
    }
  }

  /**
   * Where symbolic links lead, to a file that need not exist. A link of the system to an open file
   * of this program is not followed: its text is no path.
   */
  public static Path destination(Path target) throws IOException {
    Path file = target;
    for (int links = 0; Files.isSymbolicLink(file) && !isOpenFile(file); links++) {
      if (links == MOST_LINKS) {
        throw new FileSystemException(target.toString(), null, "Too many levels of symbolic links");
      }
      file = file.resolveSibling(Files.readSymbolicLink(file));
    }
    return file;
  }

  /** What stands in a directory that is reached so is a file like any other. */
  private static boolean isOpenFile(Path file) {
    return OPEN_FILE.matcher(file.toAbsolutePath().normalize().toString()).matches();
  }

  /** Whether a file is written to in place, since nothing can be moved over it. */
  private static boolean isDirect(Path file) {
    if (isOpenFile(file)) {
      return true;
    }
    try {
      return Files.readAttributes(file, BasicFileAttributes.class).isOther();
    } catch (IOException missing) {
      return false;
    }
  }

  /** A file that others could not read is not to be readable because it was replaced. */
  private static void keepPermissions(Path file, Path replacement) throws IOException {
    PosixFileAttributeView before = Files.getFileAttributeView(file, PosixFileAttributeView.class);
    if (before == null || !Files.exists(file)) {
      return;
    }
    Files.setPosixFilePermissions(replacement, before.readAttributes().permissions());
  }

  /**
   * A failure that names a file: the system's "No space left on device" says of none, and a
   * temporary name means nothing to anybody.
   */
  public static FileSystemException named(Path file, IOException problem) {
    FileSystemException named =
        switch (problem) {
          case NoSuchFileException missing ->
              new NoSuchFileException(String.valueOf(file.toAbsolutePath().getParent()));
          case AccessDeniedException denied -> new AccessDeniedException(file.toString());
          case FileSystemException other ->
              new FileSystemException(
                  file.toString(),
                  null,
                  other.getReason() == null ? other.toString() : other.getReason());
          default -> new FileSystemException(file.toString(), null, problem.getMessage());
        };
    named.initCause(problem);
    return named;
  }
}
