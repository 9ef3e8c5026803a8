package dev.muninn.weights;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** A regular file open for reading, with the state in which it was found. */
final class SourceFile implements AutoCloseable {
  private final FileState state;
  private final FileChannel channel;

  private SourceFile(FileState state, FileChannel channel) {
    this.state = state;
    this.channel = channel;
  }

  /**
   * Opens a file, following symbolic links wherever they lead.
   *
   * @throws CheckpointException if it is missing, not a regular file or not readable
   */
  static SourceFile open(Path path) {
    FileState state = FileState.of(path);
    try {
      return new SourceFile(state, FileChannel.open(path, StandardOpenOption.READ));
    } catch (IOException problem) {
      throw CheckpointException.failure(path, "a readable file", problem);
    }
  }

  FileState state() {
    return state;
  }

  Path path() {
    return state.path();
  }

  long size() {
    return state.size();
  }

  FileChannel channel() {
    return channel;
  }

  /**
   * Maps the whole file, read-only.
   *
   * @throws CheckpointException if it cannot be mapped or is not what it was when it was opened
   */
  MemorySegment map(Arena arena) {
    MemorySegment segment;
    try {
      segment = channel.map(MapMode.READ_ONLY, 0, size(), arena);
    } catch (IOException problem) {
      throw CheckpointException.failure(
          path(), "a file that can be mapped (" + size() + " bytes)", problem);
    }
    // The header was read before the map was made: both must be of the same file.
    state.verifyUnchanged();
    return segment;
  }

  @Override
  public void close() {
    try {
      channel.close();
    } catch (IOException problem) {
      throw CheckpointException.failure(path(), "a file that can be closed", problem);
    }
  }
}
