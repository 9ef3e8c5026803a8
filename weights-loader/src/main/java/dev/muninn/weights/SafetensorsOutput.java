package dev.muninn.weights;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;

/**
 * A safetensors file that {@link SafetensorsWriter#open} began: the bytes of its reserved tensors
 * are put, and can be read back, in any order. So a tensor larger than the memory can be written as
 * it is computed.
 *
 * <p>The target appears by {@link #commit}; what was put can still be read after it. Closing
 * without it removes the file. Used by one thread.
 */
public final class SafetensorsOutput implements AutoCloseable {
  private final Path target;
  private final Scratch scratch;
  private final FileChannel channel;
  private final Map<String, Region> reserved;
  private boolean committed;

  /** Where in the file a tensor's bytes stand. */
  record Region(long offset, long bytes) {}

  SafetensorsOutput(
      Path target, Scratch scratch, FileChannel channel, Map<String, Region> reserved) {
    this.target = target;
    this.scratch = scratch;
    this.channel = channel;
    this.reserved = reserved;
  }

  /**
   * Puts bytes of a reserved tensor.
   *
   * @param offset of the first byte in the tensor
   * @param bytes little-endian and row-major; all that remain are written
   * @throws CheckpointException if they cannot be written
   * @throws IllegalArgumentException if no tensor of the name was reserved
   * @throws IndexOutOfBoundsException if the bytes do not lie within the tensor
   * @throws IllegalStateException if the file was committed
   */
  public void put(String name, long offset, ByteBuffer bytes) {
    if (committed) {
      throw new IllegalStateException(target + " is committed");
    }
    long at = position(name, offset, bytes.remaining());
    try {
      while (bytes.hasRemaining()) {
        at += channel.write(bytes, at);
      }
    } catch (IOException problem) {
      throw unwritable(target, problem);
    }
  }

  /**
   * Reads bytes of a reserved tensor, until the buffer is full.
   *
   * @param offset of the first byte in the tensor
   * @throws CheckpointException if they cannot be read
   * @throws IllegalArgumentException if no tensor of the name was reserved
   * @throws IndexOutOfBoundsException if the bytes do not lie within the tensor
   */
  public void get(String name, long offset, ByteBuffer bytes) {
    long at = position(name, offset, bytes.remaining());
    try {
      while (bytes.hasRemaining()) {
        int count = channel.read(bytes, at);
        if (count < 0) {
          throw CheckpointException.refusal(
              target, name, "an end of the file at its byte " + at, "a file that keeps its size");
        }
        at += count;
      }
    } catch (IOException problem) {
      throw CheckpointException.failure(target, "a file that can be read", problem);
    }
  }

  private long position(String name, long offset, int count) {
    Region region = reserved.get(name);
    if (region == null) {
      throw new IllegalArgumentException(
          target + ": tensor " + CheckpointException.quote(name) + " was not reserved");
    }
    return region.offset + Objects.checkFromIndexSize(offset, count, region.bytes);
  }

  /**
   * Forces the file to the disk, moves it to its name, over whatever stands there, and forces that.
   *
   * @throws CheckpointException if that fails
   */
  public void commit() {
    try {
      channel.force(true);
      scratch.moveTo(target);
      committed = true;
    } catch (IOException problem) {
      throw unwritable(target, problem);
    }
  }

  /** Ends reading; without a commit, removes what was written. */
  @Override
  public void close() {
    discard(channel, scratch);
  }

  static CheckpointException unwritable(Path target, IOException problem) {
    return CheckpointException.failure(target, "a file that can be written", problem);
  }

  /** Closes a file, and removes what was not moved to its name. */
  static void discard(FileChannel channel, Scratch scratch) {
    try (scratch) {
      if (channel != null) {
        channel.close();
      }
    } catch (IOException left) {
      // What made the write fail is being reported; that it left a file behind adds nothing to it.
    }
  }
}
