package dev.muninn.cli.models;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import java.util.UUID;

/** Lets one pull or removal at a time into a model's folder; the system frees it when it dies. */
final class PullLock implements AutoCloseable {
  private static final String NAME = "lock";

  private final FileChannel channel;

  private PullLock(FileChannel channel) {
    this.channel = channel;
  }

  /**
   * Takes the lock, or not if another has it.
   *
   * @param state the folder of the pull's own files
   */
  static Optional<PullLock> tryTake(Path state) throws IOException {
    FileChannel channel =
        FileChannel.open(
            state.resolve(NAME),
            StandardOpenOption.CREATE,
            StandardOpenOption.WRITE,
            LinkOption.NOFOLLOW_LINKS);
    boolean taken = false;
    try {
      FileLock lock = channel.tryLock();
      taken = lock != null && isStillThere(channel, state.resolve(NAME));
    } catch (OverlappingFileLockException e) {
      // Another thread of this program has it.
    } finally {
      if (!taken) {
        channel.close();
      }
    }
    return taken ? Optional.of(new PullLock(channel)) : Optional.empty();
  }

  /** A removal may have taken the file away between its opening and its locking. */
  private static boolean isStillThere(FileChannel channel, Path path) throws IOException {
    byte[] mark = UUID.randomUUID().toString().getBytes(StandardCharsets.US_ASCII);
    channel.write(ByteBuffer.wrap(mark), 0);
    try {
      return ByteBuffer.wrap(Files.readAllBytes(path)).equals(ByteBuffer.wrap(mark));
    } catch (NoSuchFileException e) {
      return false;
    }
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
