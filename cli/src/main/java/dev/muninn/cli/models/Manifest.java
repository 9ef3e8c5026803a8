package dev.muninn.cli.models;

import dev.muninn.cli.output.Json;
import dev.muninn.weights.AtomicFile;
import dev.muninn.weights.Checkpoint;
import dev.muninn.weights.CheckpointException;
import dev.muninn.weights.DirectoryTree;
import dev.muninn.weights.JsonFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Says that a pull was completed, and of what.
 *
 * @param model {@code OWNER/NAME}
 * @param endpoint where it is from
 * @param revision what was asked for
 * @param commit what that stood for
 * @param prepared how the weights were prepared; empty if they are as they came
 * @param files names of the files
 */
record Manifest(
    String model,
    String endpoint,
    String revision,
    String commit,
    String prepared,
    List<String> files) {
  private static final int SHORTEST_COMMIT = 7;
  private static final String NAME = Checkpoint.PULLED;

  /** Whether a model's folder has a manifest. */
  static boolean exists(Path state) {
    return Files.exists(state.resolve(NAME), LinkOption.NOFOLLOW_LINKS);
  }

  /**
   * Reads the manifest of a model's folder; empty if there is none, or none that can be read.
   *
   * @param state the folder of the pull's own files
   */
  static Optional<Manifest> read(Path state) {
    return readFile(state.resolve(NAME));
  }

  /** What a folder held before a pull that was stopped while it moved files, if there was one. */
  static Optional<Manifest> readUnfinished(Path state) {
    return readFile(state.resolve(Checkpoint.UNFINISHED));
  }

  /** Whether a pull moves files in a model's folder, or was stopped while it did. */
  static boolean isUnfinished(Path state) {
    return Files.exists(state.resolve(Checkpoint.UNFINISHED), LinkOption.NOFOLLOW_LINKS);
  }

  private static Optional<Manifest> readFile(Path file) {
    if (!Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
      return Optional.empty();
    }
    Map<String, Object> json;
    try {
      json = JsonFile.readObject(file);
    } catch (CheckpointException e) {
      return Optional.empty();
    }
    List<String> files = new ArrayList<>();
    if (json.get("files") instanceof List<?> names) {
      for (Object name : names) {
        if (name instanceof String text && RemoteFile.isNeeded(text)) {
          files.add(text);
        }
      }
    }
    return Optional.of(
        new Manifest(
            text(json, "model"),
            text(json, "endpoint"),
            text(json, "revision"),
            text(json, "commit"),
            text(json, "prepared"),
            List.copyOf(files)));
  }

  /** Whether this is what a revision names: the one that was asked for, or the commit. */
  boolean is(String asked) {
    return asked.equals(revision) || asked.length() >= SHORTEST_COMMIT && commit.startsWith(asked);
  }

  private static String text(Map<String, Object> json, String key) {
    return json.get(key) instanceof String text ? text : "";
  }

  /** Writes the manifest: from now on the model is complete. */
  void write(Path state) throws IOException {
    writeFile(state.resolve(NAME));
  }

  /** Says that files are about to be moved: from now on, the loader refuses the folder. */
  void writeUnfinished(Path state) throws IOException {
    writeFile(state.resolve(Checkpoint.UNFINISHED));
  }

  /** Says that they were. */
  static void deleteUnfinished(Path state) throws IOException {
    Files.deleteIfExists(state.resolve(Checkpoint.UNFINISHED));
    DirectoryTree.forceEntries(state);
  }

  private void writeFile(Path file) throws IOException {
    String json =
        Json.object(generator -> {
          generator.writeStringProperty("model", model);
          generator.writeStringProperty("endpoint", endpoint);
          generator.writeStringProperty("revision", revision);
          generator.writeStringProperty("commit", commit);
          if (!prepared.isEmpty()) {
            generator.writeStringProperty("prepared", prepared);
          }
          generator.writeArrayPropertyStart("files");
          files.forEach(generator::writeString);
          generator.writeEndArray();
        });
    AtomicFile.write(file, json.getBytes(StandardCharsets.UTF_8));
  }

  /** Removes the manifest: from now on the model is not complete. */
  static void delete(Path state) throws IOException {
    Files.deleteIfExists(state.resolve(NAME));
  }
}
