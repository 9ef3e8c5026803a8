package dev.muninn.spark;

import dev.muninn.LanguageModel;
import dev.muninn.LoadOptions;
import dev.muninn.cli.cache.EmbeddedModel;
import dev.muninn.cli.models.FirstUse;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.Serializable;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.apache.spark.SparkFiles;

/**
 * A model that executors open.
 *
 * @param model a directory, a name among the job's files or archives, or {@code OWNER/NAME}; null
 *     for the built-in model
 * @param backend what computes
 * @param device its id, or null
 */
record ModelSource(String model, String backend, String device) implements Serializable {

  /** The model's name, for people. */
  String name() {
    if (model == null) {
      return EmbeddedModel.NAME;
    }
    Path name = Path.of(model).toAbsolutePath().normalize().getFileName();
    return name == null ? model : name.toString();
  }

  /**
   * Opens the model on this executor.
   *
   * @param threads that compute
   */
  LanguageModel open(int threads) throws IOException {
    return LanguageModel.load(
        directory(System.getenv()), new LoadOptions(threads, backend, Optional.ofNullable(device)));
  }

  /**
   * Where the model is on this host. One that has to be pulled is pulled now; others of the host
   * wait for it.
   */
  private Path directory(Map<String, String> environment) throws IOException {
    if (model == null) {
      return EmbeddedModel.read().directory(environment);
    }
    Path path = Path.of(model);
    if (!path.isAbsolute()) {
      Path shipped = Path.of(SparkFiles.get(model)).normalize();
      if (Files.exists(shipped.resolve("config.json"))) {
        return shipped;
      }
    }
    return FirstUse.locateOrPull(
        path, environment, new PrintWriter(System.err, true, System.err.charset()));
  }
}
