package dev.muninn.cli.quantize;

import dev.muninn.family.ConfigReader;
import dev.muninn.family.PreparedTensors;
import dev.muninn.weights.AtomicFile;
import dev.muninn.weights.Checkpoint;
import dev.muninn.weights.CheckpointException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The files of a model's directory that are no weights. */
final class ModelFiles {
  private static final Pattern WEIGHTS =
      Pattern.compile(".*\\.(safetensors|bin|gguf|ggml|pt|pth|ckpt|h5|msgpack|onnx|npz)");

  private ModelFiles() {}

  /** Copies the tokenizer, the license and whatever else stands beside weights and config.json. */
  static void copy(Path source, Path target) throws IOException {
    for (Path file : list(source)) {
      String name = file.getFileName().toString();
      boolean written =
          name.equals("config.json")
              || name.equals(Checkpoint.INDEX_FILE)
              || WEIGHTS.matcher(name).matches();
      if (!written && !name.startsWith(".") && Files.isRegularFile(file)) {
        try {
          Files.copy(file, target.resolve(name));
        } catch (IOException problem) {
          throw AtomicFile.named(file, problem);
        }
      }
    }
  }

  /**
   * The names in a directory, if it is of a prepared model, which another may replace; none
   * otherwise.
   */
  static Set<String> replaceable(Path directory) throws IOException {
    if (!Files.exists(directory.resolve("config.json"))) {
      return Set.of();
    }
    try {
      if (!PreparedTensors.read(ConfigReader.of(directory)).isPrepared()) {
        return Set.of();
      }
    } catch (CheckpointException unreadable) {
      return Set.of();
    }
    return list(directory).stream()
        .map(file -> file.getFileName().toString())
        .collect(Collectors.toSet());
  }

  private static List<Path> list(Path directory) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files.sorted().toList();
    }
  }
}
