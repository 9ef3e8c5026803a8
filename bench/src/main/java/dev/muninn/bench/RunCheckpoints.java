package dev.muninn.bench;

import dev.muninn.measure.ModelShape;
import dev.muninn.measure.RandomCheckpoint;
import dev.muninn.weights.Checkpoint;
import dev.muninn.weights.DType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Models of random weights, each written once in a run, by the first benchmark that wants it. */
final class RunCheckpoints {
  /**
   * The run's temporary directory. A property, since it is what {@link Main} can hand to the JVMs
   * that JMH starts without making it a parameter of the results.
   */
  static final String DIRECTORY_PROPERTY = "muninn.bench.checkpoints";

  private RunCheckpoints() {}

  /** Opens the checkpoint of a shape and type, after writing it if this run has not yet. */
  static Checkpoint open(ModelShape shape, DType dtype) {
    String parent = System.getProperty(DIRECTORY_PROPERTY);
    if (parent == null) {
      throw new IllegalStateException("no directory for checkpoints; run " + Main.class.getName());
    }
    Path directory = Path.of(parent, shape + "-" + dtype);
    if (!Files.exists(directory.resolve(Checkpoint.SINGLE_FILE))) {
      try {
        Files.createDirectories(directory);
        RandomCheckpoint.of(shape, dtype).write(directory);
      } catch (IOException e) {
        throw new IllegalStateException(directory + " cannot be created", e);
      }
    }
    return Checkpoint.open(directory);
  }
}
