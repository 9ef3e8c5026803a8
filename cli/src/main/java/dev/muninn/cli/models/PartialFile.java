package dev.muninn.cli.models;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;

/**
 * The beginning of a file under a partial name, and the digest of what is there. One thread writes
 * at a time; {@link #length} may be asked by another.
 */
final class PartialFile implements AutoCloseable {
  private static final int BUFFER = 1 << 20;

  private final Path path;
  private final RemoteFile file;
  private final FileChannel channel;
  private MessageDigest digest;
  private volatile long length;

  private PartialFile(Path path, RemoteFile file, FileChannel channel) {
    this.path = path;
    this.file = file;
    this.channel = channel;
    this.digest = file.checksum().begin(file.size());
  }

  /** Opens what an earlier pull left, or nothing. */
  static PartialFile open(Path path, RemoteFile file, PullProgress progress) throws IOException {
    FileChannel channel =
        FileChannel.open(
            path,
            StandardOpenOption.CREATE,
            StandardOpenOption.READ,
            StandardOpenOption.WRITE,
            LinkOption.NOFOLLOW_LINKS);
    PartialFile partial = new PartialFile(path, file, channel);
    try {
      if (channel.size() > file.size()) {
        channel.truncate(0);
      }
      partial.length = update(channel, partial.digest, progress);
      return partial;
    } catch (IOException | RuntimeException e) {
      channel.close();
      throw e;
    }
  }

  /** Feeds a digest with a file's content; returns its length. */
  static long update(FileChannel channel, MessageDigest digest, PullProgress progress)
      throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(BUFFER);
    long length = 0;
    while (channel.read(buffer, length) > 0) {
      buffer.flip();
      length += buffer.remaining();
      digest.update(buffer);
      buffer.clear();
      progress.at(length);
    }
    return length;
  }

  /** Bytes that are there. */
  long length() {
    return length;
  }

  /** Adds bytes at the end. */
  void append(ByteBuffer bytes) throws IOException {
    ByteBuffer written = bytes.duplicate();
    long position = length;
    try {
      while (written.hasRemaining()) {
        position += channel.write(written, position);
      }
    } catch (IOException e) {
      throw failure(e);
    }
    digest.update(bytes);
    length = position;
  }

  /** Throws away what is there. */
  void restart() throws IOException {
    try {
      channel.truncate(0);
    } catch (IOException e) {
      throw failure(e);
    }
    digest = file.checksum().begin(file.size());
    length = 0;
  }

  /** Makes sure that the whole file is on the disk; or finds that it is another. */
  void requireWhole() throws IOException {
    if (length != file.size() || !file.checksum().matches(digest)) {
      restart();
      throw new WrongContent(
          file.name()
              + ": the content does not give "
              + file.checksum().what()
              + " of the listing, "
              + file.checksum().hex());
    }
    try {
      channel.force(true);
    } catch (IOException e) {
      throw failure(e);
    }
  }

  /** Such as "No space left on device", which does not say where. */
  private FileSystemException failure(IOException cause) {
    FileSystemException failure =
        new FileSystemException(path.toString(), null, cause.getMessage());
    failure.initCause(cause);
    return failure;
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
