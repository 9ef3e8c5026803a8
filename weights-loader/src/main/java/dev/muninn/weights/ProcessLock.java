package dev.muninn.weights;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.HashSet;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/**
 * A lock between programs: a file of its own that is locked while its holder lives. The system lets
 * go of it however the holder ends.
 *
 * <p>On POSIX systems a program loses its lock as soon as it closes the file anywhere, by whichever
 * channel. So the file stays empty, nothing else opens it, and a second holder in the same JVM is
 * refused before it opens anything.
 */
public final class ProcessLock implements AutoCloseable {
  /** Each time, the file was removed between two steps. */
  private static final int MOST_TRIES = 100;

  private static final Set<Path> HELD = new HashSet<>();

  private final Path file;
  private final FileChannel channel;

  private ProcessLock(Path file, FileChannel channel) {
    this.file = file;
    this.channel = channel;
  }

  /**
   * Takes a lock, unless another program or another part of this one holds it.
   *
   * @param file the lock file, which is made if it is not there; its directory must exist
   * @throws IOException if it cannot be made or opened, or if the file system knows no locks
   */
  public static Optional<ProcessLock> tryTake(Path file) throws IOException {
    Path real = real(file);
    synchronized (HELD) {
      if (!HELD.add(real)) {
        return Optional.empty();
      }
    }
    FileChannel channel = null;
    try {
      channel = lock(real);
    } finally {
      if (channel == null) {
        forget(real);
      }
    }
    return Optional.ofNullable(channel).map(taken -> new ProcessLock(real, taken));
  }

  /** One name for each file, whatever links lead to its directory. */
  private static Path real(Path file) throws IOException {
    return file.toAbsolutePath().getParent().toRealPath().resolve(file.getFileName());
  }

  /** Whether this JVM holds a lock. */
  static boolean isHeldHere(Path file) throws IOException {
    synchronized (HELD) {
      return HELD.contains(real(file));
    }
  }

  private static FileChannel lock(Path file) throws IOException {
    for (int tries = 0; tries < MOST_TRIES; tries++) {
      try {
        Files.createFile(file);
      } catch (FileAlreadyExistsException usual) {
        // Left by an earlier holder, or held.
      }
      FileChannel channel = null;
      boolean held = false;
      try {
        // Who held the lock before may remove the file: what is locked must still have the name.
        Object before = key(file);
        channel =
            FileChannel.open(
                file, StandardOpenOption.READ, StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS);
        FileLock lock = channel.tryLock();
        if (lock == null) {
          return null;
        }
        held = Objects.equals(before, key(file));
        if (held) {
          return channel;
        }
      } catch (NoSuchFileException removed) {
        // Another try makes it anew.
      } finally {
        if (channel != null && !held) {
          channel.close();
        }
      }
    }
    return null;
  }

  private static Object key(Path file) throws IOException {
    return Files.readAttributes(file, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS)
        .fileKey();
  }

  private static void forget(Path file) {
    synchronized (HELD) {
      HELD.remove(file);
    }
  }

  /** The locked file, for what its holder has to say to who finds the lock after its death. */
  FileChannel channel() {
    return channel;
  }

  /** Removes the file, so that nothing of the lock stays, and lets go of it. */
  public void remove() throws IOException {
    try {
      Files.deleteIfExists(file);
    } finally {
      close();
    }
  }

  /** Lets go of the lock; the file stays. */
  @Override
  public void close() throws IOException {
    if (channel.isOpen()) {
      try {
        channel.close();
      } finally {
        forget(file);
      }
    }
  }
}
