package dev.muninn.cli.models;

import dev.muninn.family.ConfigReader;
import dev.muninn.prepare.Preparation;
import dev.muninn.prepare.Recipe;
import dev.muninn.weights.Checkpoint;
import dev.muninn.weights.JsonFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.LongConsumer;

/**
 * Weights that a pull prepares as they come, in a folder of the pull's own. What an interrupted
 * pull prepared is taken over by the next.
 */
final class PreparedFiles {
  static final String FOLDER = "prepared";

  private final Recipe recipe;
  private final ConfigReader config;
  private final Path folder;
  private final Map<String, Path> files = new LinkedHashMap<>();
  private Preparation preparation;

  /**
   * Begins.
   *
   * @param config the configuration as it came
   * @param name what it will be called
   * @param state the folder of the pull's own files
   */
  PreparedFiles(Recipe recipe, Path config, Path name, Path state) throws IOException {
    this.recipe = recipe;
    this.config = ConfigReader.of(name, JsonFile.readObject(config));
    this.folder = Files.createDirectories(state.resolve(FOLDER));
  }

  /** Plans by the names of all tensors; without it, the only file's tensors are all. */
  void plan(Set<String> tensors) {
    preparation = Preparation.of(config, tensors, recipe);
  }

  /** Where a file is prepared, by the id of what it is made from. */
  Path file(String id) {
    return folder.resolve(id + "." + recipe.text().replace(' ', '.'));
  }

  /** Whether a file was prepared by a pull that was interrupted later. */
  boolean isThere(String name, String id) {
    return Files.isRegularFile(file(id));
  }

  /** Takes over what is there. */
  void take(String name, String id) {
    try (Checkpoint checkpoint = Checkpoint.openFile(file(id))) {
      if (preparation == null) {
        plan(checkpoint.tensors().keySet());
      }
      preparation.take(checkpoint, name);
    }
    files.put(name, file(id));
  }

  /** Prepares a file that has come. */
  void prepare(Path source, String name, String id, LongConsumer progress) {
    if (preparation == null) {
      try (Checkpoint checkpoint = Checkpoint.openFile(source)) {
        plan(Preparation.names(checkpoint));
      }
    }
    preparation.prepareFile(source, file(id), name, progress);
    files.put(name, file(id));
  }

  /**
   * Writes the configuration and the index.
   *
   * @param staged gets all that is to be moved to its name
   * @return the names of the weights and their index
   */
  List<String> finish(Map<String, Path> staged) throws IOException {
    preparation.finish(folder);
    List<String> names = new ArrayList<>(files.keySet());
    staged.putAll(files);
    staged.put(RemoteFile.CONFIGURATION, folder.resolve(RemoteFile.CONFIGURATION));
    staged.remove(RemoteFile.INDEX);
    if (preparation.needsIndex()) {
      names.add(RemoteFile.INDEX);
      staged.put(RemoteFile.INDEX, folder.resolve(RemoteFile.INDEX));
    }
    return names;
  }
}
