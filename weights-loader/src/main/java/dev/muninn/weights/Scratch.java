package dev.muninn.weights;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;

/**
 * A hidden name beside a file or directory that is to appear whole: what is made there is moved to
 * its name when it is complete, and removed if it never is.
 *
 * <p>A program can be killed before it removes anything. So beside each such name stands a {@link
 * ProcessLock}, and the first use of a directory removes whatever has a lock that is not held.
 */
public final class Scratch implements AutoCloseable {
  private static final String PREFIX = ".muninn-";
  private static final String WORK = ".tmp";
  private static final String FORMER = ".old";
  private static final String LOCK = ".lock";
  private static final Pattern LOCK_NAME =
      Pattern.compile("\\.muninn-([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\\.lock");
  private static final FileAttribute<?> OWNER_ONLY =
      PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));

  private static final int MOST_NAME_BYTES = 1024;

  /** Directories whose leftovers were removed. */
  private static final Set<Path> SWEPT = new HashSet<>();

  private final Path work;
  private final Path former;
  private final ProcessLock lock;
  private final CountDownLatch closed = new CountDownLatch(1);
  private Thread atExit;
  private boolean gone;

  private Scratch(Path work, Path former, ProcessLock lock) {
    this.work = work;
    this.former = former;
    this.lock = lock;
  }

  /**
   * A hidden name in the directory of a target. Nothing stands there yet.
   *
   * @param target what is to appear; its directory must exist
   * @throws IOException if the directory cannot be written to
   */
  public static Scratch beside(Path target) throws IOException {
    return in(target.toAbsolutePath().getParent());
  }

  /** A hidden name in a directory, which must exist. Nothing stands there yet. */
  public static Scratch in(Path directory) throws IOException {
    sweepOnce(directory);
    while (true) {
      String name = PREFIX + UUID.randomUUID();
      Path file = directory.resolve(name + LOCK);
      Optional<ProcessLock> lock;
      try {
        lock = ProcessLock.tryTake(file);
      } catch (IOException problem) {
        if (!Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
          throw problem;
        }
        // A file system without locks: nothing can be swept there, and all else works.
        Files.deleteIfExists(file);
        return new Scratch(directory.resolve(name + WORK), directory.resolve(name + FORMER), null);
      }
      if (lock.isPresent()) {
        return new Scratch(
            directory.resolve(name + WORK), directory.resolve(name + FORMER), lock.get());
      }
      // Somebody who sweeps was faster.
    }
  }

  /**
   * A directory that only its user can read, where the system keeps temporary files. It is removed
   * when it is closed, or at the end of the JVM.
   *
   * @param patience how long the end waits for {@link #close}
   * @throws IOException if it cannot be made; it names the place
   */
  public static Scratch temporaryDirectory(Duration patience) throws IOException {
    Path parent = Path.of(System.getProperty("java.io.tmpdir"));
    Scratch scratch;
    try {
      scratch = in(parent);
    } catch (IOException problem) {
      throw AtomicFile.named(parent.resolve("*"), problem);
    }
    try {
      scratch.removeAtExit(patience);
      if (parent.getFileSystem().supportedFileAttributeViews().contains("posix")) {
        Files.createDirectory(scratch.work, OWNER_ONLY);
      } else {
        Files.createDirectory(scratch.work);
      }
      return scratch;
    } catch (IOException problem) {
      scratch.close();
      throw problem;
    }
  }

  /** Where to write: a file or a directory to be made. */
  public Path path() {
    return work;
  }

  /**
   * Has everything removed when the JVM ends before this is closed, such as by Ctrl-C.
   *
   * @param patience how long the end waits for {@link #close}
   */
  public void removeAtExit(Duration patience) {
    atExit =
        new Thread(
            () -> {
              try {
                closed.await(patience.toMillis(), TimeUnit.MILLISECONDS);
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              }
              abandon();
            },
            "muninn-remove-scratch");
    try {
      Runtime.getRuntime().addShutdownHook(atExit);
    } catch (IllegalStateException ending) {
      atExit = null;
    }
  }

  private synchronized void abandon() {
    gone = true;
    try {
      // Whoever is still writing there may add a file between two passes.
      for (int pass = 0; pass < 3 && Files.exists(work, LinkOption.NOFOLLOW_LINKS); pass++) {
        deleteQuietly(work);
      }
      if (lock != null) {
        lock.remove();
      }
    } catch (IOException left) {
      // The next run finds it.
    }
  }

  /**
   * Moves what was made to its name, over a file that stands there, and makes sure that the name
   * outlives a power cut. The content must have been forced to the disk before.
   */
  public synchronized void moveTo(Path target) throws IOException {
    requirePresent();
    Files.move(work, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    DirectoryTree.forceEntries(target.toAbsolutePath().getParent());
  }

  /**
   * As {@link #moveTo}, where a directory with files stands at the target. It is moved away first,
   * and back if anything fails; should this program die in between, the next one moves it back.
   */
  public void replace(Path target) throws IOException {
    replace(target, () -> {});
  }

  /**
   * Replaces a directory.
   *
   * @param between is run while nothing stands at the target, for a test
   */
  synchronized void replace(Path target, Runnable between) throws IOException {
    requirePresent();
    if (lock != null) {
      byte[] name = target.getFileName().toString().getBytes(StandardCharsets.UTF_8);
      lock.channel().write(ByteBuffer.wrap(name), 0);
      lock.channel().force(true);
    }
    Files.move(target, former, StandardCopyOption.ATOMIC_MOVE);
    boolean moved = false;
    try {
      between.run();
      moveTo(target);
      moved = true;
    } finally {
      if (!moved) {
        Files.move(former, target, StandardCopyOption.ATOMIC_MOVE);
      }
    }
    DirectoryTree.delete(former);
  }

  private void requirePresent() throws IOException {
    if (gone) {
      throw new IOException("interrupted before " + work.getParent() + " was written");
    }
  }

  /** Removes what was not moved. */
  @Override
  public void close() throws IOException {
    if (atExit != null) {
      try {
        Runtime.getRuntime().removeShutdownHook(atExit);
      } catch (IllegalStateException ending) {
        // The hook waits for what follows.
      }
    }
    synchronized (this) {
      try {
        if (!gone) {
          gone = true;
          if (Files.exists(work, LinkOption.NOFOLLOW_LINKS)) {
            DirectoryTree.delete(work);
          }
          if (lock != null) {
            lock.remove();
          }
        }
      } finally {
        closed.countDown();
      }
    }
  }

  private static void sweepOnce(Path directory) throws IOException {
    Path real = directory.toRealPath();
    synchronized (SWEPT) {
      if (SWEPT.contains(real)) {
        return;
      }
    }
    sweep(real);
    synchronized (SWEPT) {
      SWEPT.add(real);
    }
  }

  /**
   * Removes what programs left in a directory that died while they wrote there. What cannot be
   * removed stays: it does no harm.
   */
  public static void sweep(Path directory) {
    try (DirectoryStream<Path> locks = Files.newDirectoryStream(directory, PREFIX + "*" + LOCK)) {
      for (Path lock : locks) {
        String name = lock.getFileName().toString();
        if (LOCK_NAME.matcher(name).matches()) {
          sweep(directory, name.substring(0, name.length() - LOCK.length()), lock);
        }
      }
    } catch (IOException | DirectoryIteratorException unreadable) {
      // Then nothing is found.
    }
  }

  private static void sweep(Path directory, String name, Path lockFile) {
    try {
      if (ProcessLock.isHeldHere(lockFile)) {
        return;
      }
      Optional<ProcessLock> lock = ProcessLock.tryTake(lockFile);
      if (lock.isEmpty()) {
        return;
      }
      try (ProcessLock taken = lock.get()) {
        Path former = directory.resolve(name + FORMER);
        if (Files.exists(former, LinkOption.NOFOLLOW_LINKS)) {
          restore(former, directory, taken.channel());
        }
        deleteQuietly(directory.resolve(name + WORK));
        deleteQuietly(former);
        if (!Files.exists(directory.resolve(name + WORK), LinkOption.NOFOLLOW_LINKS)) {
          taken.remove();
        }
      }
    } catch (IOException unreadable) {
      // Another user's, perhaps.
    }
  }

  /** Gives back its name to what was moved away for something that never came. */
  private static void restore(Path former, Path directory, FileChannel note) throws IOException {
    ByteBuffer name = ByteBuffer.allocate(MOST_NAME_BYTES);
    note.read(name, 0);
    String text = new String(name.array(), 0, name.position(), StandardCharsets.UTF_8);
    try {
      Path target = directory.resolve(text);
      if (directory.equals(target.getParent())
          && !Files.exists(target, LinkOption.NOFOLLOW_LINKS)) {
        Files.move(former, target, StandardCopyOption.ATOMIC_MOVE);
      }
    } catch (InvalidPathException damaged) {
      // Then its name is unknown.
    }
  }

  private static void deleteQuietly(Path path) {
    try {
      DirectoryTree.delete(path);
    } catch (IOException left) {
      // It stays, and is looked at again by the next run.
    }
  }
}
