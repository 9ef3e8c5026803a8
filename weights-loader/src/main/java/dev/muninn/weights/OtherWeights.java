package dev.muninn.weights;

import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.TreeSet;

/** Names the weights in a directory that the loader does not read, for an error message. */
final class OtherWeights {
  private OtherWeights() {}

  /** Such as {@code ", but pytorch_model.bin"}; empty if there are none. */
  static String besides(Path directory) {
    TreeSet<String> names = new TreeSet<>();
    try (DirectoryStream<Path> files =
        Files.newDirectoryStream(
            directory, "*.{safetensors,bin,gguf,pt,pth,ckpt,h5,msgpack,onnx,partial}")) {
      files.forEach(file -> names.add(file.getFileName().toString()));
    } catch (IOException | DirectoryIteratorException unknown) {
      return "";
    }
    if (names.isEmpty()) {
      return "";
    }
    String first = CheckpointException.quote(names.first());
    return ", but " + (names.size() == 1 ? first : first + " and " + (names.size() - 1) + " more");
  }
}
