package dev.muninn.cli.bench;

import dev.muninn.LanguageModel;
import dev.muninn.cli.options.ModelOptions;
import dev.muninn.cli.options.UsageException;
import dev.muninn.cli.output.Units;
import dev.muninn.cli.terminal.StandardStreams;
import dev.muninn.measure.ModelShape;
import dev.muninn.measure.RandomCheckpoint;
import dev.muninn.measure.TemporaryDirectory;
import dev.muninn.prepare.Preparation;
import dev.muninn.prepare.Recipe;
import dev.muninn.weights.DType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/**
 * The model that is measured: of a directory, or of random weights in a temporary one, which is
 * deleted when this is closed.
 *
 * @param name the directory's, or the shape's
 * @param temporary where random weights are; null for others
 */
record BenchModel(String name, LanguageModel model, TemporaryDirectory temporary)
    implements AutoCloseable {

  /**
   * Opens what {@code -m} names: a directory if there is one, else a shape of random weights.
   *
   * @param type of random weights, if it was asked for
   * @param recipe how random weights are prepared, if they are
   */
  static BenchModel open(
      ModelOptions options,
      Optional<DType> type,
      Optional<Recipe> recipe,
      Map<String, String> environment,
      StandardStreams streams)
      throws IOException {
    Optional<Path> requested = options.requested();
    Optional<ModelShape> shape =
        requested
            .filter(path -> !Files.exists(path))
            .flatMap(path -> ModelShape.named(path.toString()));
    if (shape.isPresent()) {
      return random(shape.get(), type.orElse(DType.BF16), recipe, options, streams);
    }
    if (type.isPresent()) {
      throw new UsageException("--dtype needs random weights, such as -m small");
    }
    if (recipe.isPresent()) {
      throw new UsageException("--quantize needs random weights, such as -m small");
    }
    LanguageModel model = options.load(environment);
    String name = requested.map(BenchModel::name).orElse(ModelOptions.BUILT_IN);
    return new BenchModel(name, model, null);
  }

  private static String name(Path directory) {
    return directory.toAbsolutePath().normalize().getFileName().toString();
  }

  private static BenchModel random(
      ModelShape shape,
      DType type,
      Optional<Recipe> recipe,
      ModelOptions options,
      StandardStreams streams)
      throws IOException {
    TemporaryDirectory temporary = new TemporaryDirectory();
    try {
      RandomCheckpoint checkpoint = RandomCheckpoint.of(shape, type);
      long bytes = checkpoint.bytes();
      streams
          .err()
          .println(
              Units.format(
                  "muninn: there is no directory %s: %s of random weights of that shape go to %s",
                  shape, Units.bytes(bytes), temporary.path()));
      long free = Files.getFileStore(temporary.path()).getUsableSpace();
      long needed = recipe.isPresent() ? 2 * bytes : bytes;
      if (free < needed) {
        throw new IOException(
            temporary.path().getParent()
                + " has "
                + Units.bytes(free)
                + " left, too little for random weights of "
                + Units.bytes(needed));
      }
      checkpoint.write(temporary.path());
      Path model = temporary.path();
      if (recipe.isPresent()) {
        model = Files.createDirectory(temporary.path().resolve("prepared"));
        Preparation.prepare(temporary.path(), model, recipe.get(), done -> {});
      }
      return new BenchModel(shape.toString(), options.load(model), temporary);
    } catch (IOException | RuntimeException | Error e) {
      temporary.close();
      throw e;
    }
  }

  @Override
  public void close() {
    model.close();
    if (temporary != null) {
      temporary.close();
    }
  }
}
