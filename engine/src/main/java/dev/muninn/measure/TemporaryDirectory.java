package dev.muninn.measure;

import dev.muninn.weights.Scratch;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;

/**
 * A directory that only its user can read. It is deleted with all it holds when it is closed, or
 * when the JVM ends before; where the JVM is killed, by the next that makes one.
 */
public final class TemporaryDirectory implements AutoCloseable {
  private final Scratch scratch;

  /** Creates a directory where the system keeps temporary files. */
  public TemporaryDirectory() throws IOException {
    scratch = Scratch.temporaryDirectory(Duration.ZERO);
  }

  public Path path() {
    return scratch.path();
  }

  @Override
  public void close() {
    try {
      scratch.close();
    } catch (IOException e) {
      throw new UncheckedIOException(path() + " cannot be deleted", e);
    }
  }
}
