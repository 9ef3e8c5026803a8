package dev.muninn.cli.models;

import dev.muninn.cli.files.UserDirectories;
import dev.muninn.cli.options.UsageException;
import dev.muninn.weights.Checkpoint;
import dev.muninn.weights.DirectoryTree;
import dev.muninn.weights.ProcessLock;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.Stream;

/**
 * The models that were pulled: a folder OWNER/NAME each, with plain files.
 *
 * @param root the models directory; it need not exist
 */
public record ModelStore(Path root) {
  private static final String STATE = Checkpoint.PULL_FOLDER;
  private static final String REMOVED = ".removed-";

  /** The user's store, by {@code MUNINN_MODELS}, {@code XDG_DATA_HOME} or {@code HOME}. */
  public static ModelStore of(Map<String, String> environment) throws IOException {
    Path root = UserDirectories.models(environment);
    if (Files.exists(root) && !Files.isDirectory(root)) {
      throw new FileSystemException(
          root.toString(), null, "not a directory, expected one for models (MUNINN_MODELS)");
    }
    return new ModelStore(root);
  }

  /**
   * Resolves the name of a model: a path that exists, or else a model that was pulled.
   *
   * @param asked a path, {@code OWNER/NAME} or {@code OWNER/NAME@REVISION}
   * @return the model's folder; the path itself if it is no such name
   * @throws IOException if it has the form of a name and no model of that name is complete
   * @throws UsageException if it is empty
   */
  public static Path locate(Path asked, Map<String, String> environment) throws IOException {
    if (asked.toString().isEmpty()) {
      throw new UsageException("the model's path is empty");
    }
    Optional<ModelReference> reference = ModelReference.parse(asked.toString());
    if (reference.isEmpty() || Files.exists(asked)) {
      if (Manifest.isUnfinished(state(asked))
          || isIncomplete(state(asked)) && !Files.exists(asked.resolve(RemoteFile.CONFIGURATION))) {
        throw new IOException(asked + ": its pull was not completed; the same command continues");
      }
      return asked;
    }
    return of(environment).find(reference.get());
  }

  /** The folder of the pull's own files within a model's folder. */
  static Path state(Path directory) {
    return directory.resolve(STATE);
  }

  /** The directory of a model, whether it exists or not. */
  Path directory(ModelReference model) {
    return root.resolve(model.owner()).resolve(model.name());
  }

  private Path find(ModelReference model) throws IOException {
    Path directory = directory(model);
    if (!Files.isDirectory(directory)) {
      throw new NotHere(
          model
              + ": no such directory, and no model of that name was pulled ('muninn pull "
              + model
              + "' fetches it)");
    }
    Optional<Manifest> manifest = Manifest.read(state(directory));
    if (isIncomplete(state(directory))) {
      throw new NotHere(
          model + ": its pull was not completed ('muninn pull " + model + "' continues it)");
    }
    String revision = model.revision().orElse(null);
    if (revision != null && !manifest.map(m -> m.is(revision)).orElse(false)) {
      throw new NotHere(
          model
              + ": the model is here"
              + manifest
                  .map(m -> " at revision " + m.revision() + ", commit " + m.commit())
                  .orElse(", but nothing says at which revision")
              + " ('muninn pull "
              + model
              + "' fetches the other)");
    }
    return directory;
  }

  /** No complete model of a name, or none of the revision; a pull may bring it. */
  static final class NotHere extends IOException {
    private static final long serialVersionUID = 1L;

    NotHere(String message) {
      super(message);
    }
  }

  /** Whether a pull began and did not end. */
  private static boolean isIncomplete(Path state) {
    return Manifest.isUnfinished(state) || Files.exists(state) && Manifest.read(state).isEmpty();
  }

  /**
   * A model in the store.
   *
   * @param name {@code OWNER/NAME}
   * @param manifest empty if it is not complete, or was not pulled
   * @param incomplete whether a pull began and did not end
   * @param bytes on disk, with partial files
   */
  record Entry(
      String name, Path directory, Optional<Manifest> manifest, boolean incomplete, long bytes) {}

  /** All models, by name. */
  List<Entry> list() throws IOException {
    List<Entry> entries = new ArrayList<>();
    for (Path owner : folders(root)) {
      sweep(owner);
      for (Path model : folders(owner)) {
        String name = owner.getFileName() + "/" + model.getFileName();
        if (ModelReference.parse(name).isEmpty()) {
          continue;
        }
        Optional<Manifest> manifest = Manifest.read(state(model));
        boolean incomplete = isIncomplete(state(model));
        entries.add(new Entry(name, model, manifest, incomplete, size(model)));
      }
    }
    return entries;
  }

  private static List<Path> folders(Path directory) throws IOException {
    if (!Files.isDirectory(directory)) {
      return List.of();
    }
    try (Stream<Path> paths = Files.list(directory)) {
      return paths.filter(Files::isDirectory).sorted().toList();
    }
  }

  private static long size(Path directory) throws IOException {
    long[] sum = {0};
    Files.walkFileTree(
        directory,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
            sum[0] += attributes.isRegularFile() ? attributes.size() : 0;
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFileFailed(Path file, IOException failure) {
            // Such as a file of a pull that ends meanwhile.
            return FileVisitResult.CONTINUE;
          }
        });
    return sum[0];
  }

  /**
   * Removes a model. Links are removed and not followed.
   *
   * @return the bytes that are free now
   */
  long remove(ModelReference model) throws IOException {
    Path directory = directory(model);
    if (!Files.exists(directory, LinkOption.NOFOLLOW_LINKS)) {
      throw new IOException("no model " + model.model() + " in " + root);
    }
    long bytes = 0;
    if (Files.isSymbolicLink(directory)) {
      Files.delete(directory);
    } else if (Files.isDirectory(state(directory), LinkOption.NOFOLLOW_LINKS)) {
      try (ProcessLock _ =
          PullLock.tryTake(state(directory))
              .orElseThrow(() -> new IOException(model.model() + " is being pulled just now"))) {
        bytes = size(directory);
        delete(directory);
      }
    } else {
      bytes = size(directory);
      delete(directory);
    }
    sweep(directory.getParent());
    if (folders(directory.getParent()).isEmpty()) {
      removeIfEmpty(directory.getParent());
    }
    return bytes;
  }

  private static void removeIfEmpty(Path directory) throws IOException {
    try (Stream<Path> paths = Files.list(directory)) {
      if (paths.findAny().isPresent()) {
        return;
      }
    }
    Files.delete(directory);
  }

  /** Renames the directory first, so that a half-removed model is never found. */
  private static void delete(Path directory) throws IOException {
    Path nameless = directory.resolveSibling(REMOVED + UUID.randomUUID());
    Files.move(directory, nameless);
    DirectoryTree.delete(nameless);
  }

  /** Goes on with removals that were stopped. */
  private static void sweep(Path owner) throws IOException {
    for (Path folder : folders(owner)) {
      if (folder.getFileName().toString().startsWith(REMOVED)) {
        DirectoryTree.delete(folder);
      }
    }
  }
}
