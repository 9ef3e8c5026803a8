package dev.muninn.cli.models;

import dev.muninn.cli.output.Units;
import dev.muninn.family.ConfigReader;
import dev.muninn.family.ModelFamilies;
import dev.muninn.family.PreparedTensors;
import dev.muninn.prepare.Recipe;
import dev.muninn.weights.AtomicFile;
import dev.muninn.weights.CheckpointException;
import dev.muninn.weights.DirectoryTree;
import dev.muninn.weights.JsonFile;
import dev.muninn.weights.ProcessLock;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Fetches a model into a folder.
 *
 * <p>Files are gathered under partial names in a folder of the pull's own. When all are there and
 * checked, they are moved to their names, so that the model is never a mixture of two revisions:
 * while they are moved, no manifest says that it is complete.
 */
final class Pull {
  private static final int LOCK_POLL_MILLISECONDS = 200;
  private static final int ID_LENGTH = 16;

  private final Endpoint endpoint;
  private final ModelReference model;
  private final Path directory;
  private final Path state;
  private final Optional<Recipe> recipe;
  private final Patience patience;
  private final PullProgress progress;

  /**
   * A pull.
   *
   * @param recipe how weights are prepared when they have come; empty if they stay as they are
   */
  Pull(
      Endpoint endpoint,
      ModelReference model,
      Path directory,
      Optional<Recipe> recipe,
      Patience patience,
      PullProgress progress) {
    this.recipe = recipe;
    this.endpoint = endpoint;
    this.model = model;
    this.directory = directory;
    this.state = ModelStore.state(directory);
    this.patience = patience;
    this.progress = progress;
  }

  /**
   * The result of a pull.
   *
   * @param manifest what is in the folder now
   * @param bytes of all its files
   * @param fetchedBytes what the server sent of them this time
   */
  record Result(Manifest manifest, long bytes, long fetchedBytes) {}

  Result run() throws IOException {
    String revision = model.revision().orElse("main");
    try (Transport transport = new Transport(endpoint, patience)) {
      Listing listing =
          new Listing.Reader(endpoint, transport, patience, progress).read(model, revision);
      listing.requireModel(model);
      createFolder();
      try (ProcessLock _ = lock()) {
        return fetch(transport, listing, revision);
      } catch (FileSystemException problem) {
        throw named(problem);
      }
    }
  }

  /** A failure in the pull's own folder, which its user has never heard of, is the directory's. */
  private FileSystemException named(FileSystemException problem) {
    return problem.getFile() != null && Path.of(problem.getFile()).startsWith(state)
        ? AtomicFile.named(directory, problem)
        : problem;
  }

  private void createFolder() throws IOException {
    try {
      Files.createDirectories(directory);
    } catch (FileAlreadyExistsException e) {
      throw new FileSystemException(e.getFile(), null, "is not a directory");
    }
    if (Files.isSymbolicLink(state)) {
      throw new FileSystemException(state.toString(), null, "is a symbolic link");
    }
    Files.createDirectories(state);
  }

  private ProcessLock lock() throws IOException {
    for (boolean told = false; true; told = true) {
      // Whoever had the lock may have removed the folder.
      Files.createDirectories(state);
      Optional<ProcessLock> lock = PullLock.tryTake(state);
      if (lock.isPresent()) {
        return lock.get();
      }
      if (!told) {
        progress.note("waiting for another pull to " + directory);
      }
      try {
        Thread.sleep(LOCK_POLL_MILLISECONDS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IOException("interrupted while waiting for another pull", e);
      }
    }
  }

  private Result fetch(Transport transport, Listing listing, String revision) throws IOException {
    Optional<Manifest> before = preparedBefore(listing.commit(), revision);
    if (before.isPresent()) {
      return new Result(before.get(), bytes(before.get()), 0);
    }
    Map<String, Path> staged = new LinkedHashMap<>();
    List<RemoteFile> wanted = new ArrayList<>();
    long fetched = 0;
    for (RemoteFile file : listing.files()) {
      if (!file.isWeights()) {
        wanted.add(file);
        fetched += provide(transport, listing.commit(), file, staged);
      }
    }
    requireKnownFamily(staged);
    if (wanted.stream().noneMatch(file -> file.name().equals("tokenizer.json"))) {
      progress.note(model + " has no tokenizer.json: its prompts must be token ids");
    }
    List<RemoteFile> weights = weights(listing, staged);
    Set<String> names = new LinkedHashSet<>();
    wanted.forEach(file -> names.add(file.name()));
    if (recipe.isPresent()) {
      PreparedFiles prepared =
          new PreparedFiles(
              recipe.get(),
              at(RemoteFile.CONFIGURATION, staged),
              directory.resolve(RemoteFile.CONFIGURATION),
              state);
      fetched += prepare(transport, listing.commit(), weights, prepared, staged);
      names.remove(RemoteFile.INDEX);
      names.addAll(prepared.finish(staged));
    } else {
      requireSpace(weights, listing.commit());
      for (RemoteFile file : weights) {
        names.add(file.name());
        fetched += provide(transport, listing.commit(), file, staged);
      }
    }
    Manifest manifest =
        new Manifest(
            model.model(),
            endpoint.toString(),
            revision,
            listing.commit(),
            prepared(),
            List.copyOf(names));
    publish(manifest, staged);
    return new Result(manifest, bytes(manifest), fetched);
  }

  private String prepared() {
    return recipe.map(Recipe::text).orElse("");
  }

  private long bytes(Manifest manifest) throws IOException {
    long bytes = 0;
    for (String name : manifest.files()) {
      bytes += Files.size(directory.resolve(name));
    }
    return bytes;
  }

  /** What an earlier pull prepared so of this commit: it has no checksums of the endpoint's. */
  private Optional<Manifest> preparedBefore(String commit, String revision) {
    return Manifest.read(state)
        .filter(manifest ->
            recipe.isPresent()
                && !Manifest.isUnfinished(state)
                && manifest.commit().equals(commit)
                && manifest.revision().equals(revision)
                && manifest.prepared().equals(prepared())
                && manifest.files().stream()
                    .allMatch(name -> Files.isRegularFile(directory.resolve(name))));
  }

  /** Fetches file after file of the weights, prepares each and deletes it. */
  private long prepare(
      Transport transport,
      String commit,
      List<RemoteFile> weights,
      PreparedFiles prepared,
      Map<String, Path> staged)
      throws IOException {
    if (weights.size() > 1) {
      prepared.plan(ShardNames.tensors(at(RemoteFile.INDEX, staged)));
    }
    long fetched = 0;
    for (RemoteFile file : weights) {
      String id = partial(file, commit).getFileName().toString();
      if (prepared.isThere(file.name(), id)) {
        prepared.take(file.name(), id);
        continue;
      }
      requireSpace(List.of(file), commit);
      Map<String, Path> one = new LinkedHashMap<>();
      fetched += provide(transport, commit, file, one);
      progress.file("preparing " + file.name(), file);
      Path source = at(file.name(), one);
      try {
        prepared.prepare(source, file.name(), id, progress::at);
      } catch (CheckpointException problem) {
        // Not the names that it has while it is staged.
        String name = directory.resolve(file.name()).toString();
        throw new CheckpointException(
            problem
                .getMessage()
                .replace(source.toString(), name)
                .replace(prepared.file(id).toString(), name),
            problem);
      }
      progress.fileEnded(file);
      for (Path partial : one.values()) {
        Files.delete(partial);
      }
    }
    return fetched;
  }

  /** Where a file is: under its partial name, or there already. */
  private Path at(String name, Map<String, Path> staged) {
    return staged.getOrDefault(name, directory.resolve(name));
  }

  /** Refuses a model of a family that is not read here, before its weights are fetched. */
  private void requireKnownFamily(Map<String, Path> staged) throws IOException {
    try {
      // Not the name that it has while it is staged.
      Path name = Path.of(RemoteFile.CONFIGURATION);
      ConfigReader config =
          ConfigReader.of(name, JsonFile.readObject(at(RemoteFile.CONFIGURATION, staged)));
      ModelFamilies.requireKnown(config);
      PreparedTensors.read(config);
    } catch (CheckpointException e) {
      throw new IOException(model + ": " + e.getMessage(), e);
    }
  }

  /** Takes a file that is there already, or fetches it to its partial name. */
  private long provide(
      Transport transport, String commit, RemoteFile file, Map<String, Path> staged)
      throws IOException {
    if (isThere(file)) {
      return 0;
    }
    Path partial = partial(file, commit);
    progress.file(file.name(), file);
    long fetched;
    try {
      fetched =
          new FileDownload(
                  transport, endpoint.file(model, commit, file.name()), file, patience, progress)
              .completeAt(partial);
    } catch (FileSystemException problem) {
      throw AtomicFile.named(directory.resolve(file.name()), problem);
    }
    progress.fileEnded(file);
    staged.put(file.name(), partial);
    return fetched;
  }

  /** Whether the file stands under its name with the right content. A link is no file. */
  private boolean isThere(RemoteFile file) throws IOException {
    Path path = directory.resolve(file.name());
    if (file.checksum().kind() == Checksum.Kind.SIZE
        || !Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS)
        || Files.size(path) != file.size()) {
      return false;
    }
    progress.file("checking " + file.name(), file);
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
      MessageDigest digest = file.checksum().begin(file.size());
      PartialFile.update(channel, digest, progress);
      return file.checksum().matches(digest);
    }
  }

  /** A name that holds what the content is to be, so that nothing else is ever continued. */
  private Path partial(RemoteFile file, String commit) {
    String hex = file.checksum().hex().isEmpty() ? commit : file.checksum().hex();
    String id = hex.substring(0, Math.min(ID_LENGTH, hex.length()));
    return state.resolve(file.name() + "." + id + ".partial");
  }

  /** The files of weights that the loader will open: one, or the shards that the index names. */
  private List<RemoteFile> weights(Listing listing, Map<String, Path> staged) throws IOException {
    Map<String, RemoteFile> listed = new LinkedHashMap<>();
    for (RemoteFile file : listing.files()) {
      if (file.isWeights()) {
        listed.put(file.name(), file);
      }
    }
    if (listed.containsKey(RemoteFile.SINGLE)) {
      return List.of(listed.get(RemoteFile.SINGLE));
    }
    Path path = at(RemoteFile.INDEX, staged);
    List<RemoteFile> shards = new ArrayList<>();
    for (String shard : ShardNames.shards(path)) {
      if (!listed.containsKey(shard)) {
        throw new IOException(
            RemoteFile.INDEX
                + " of "
                + model
                + " names "
                + CheckpointException.quote(shard)
                + ", which is not among its files");
      }
      shards.add(listed.get(shard));
    }
    return shards;
  }

  private void requireSpace(List<RemoteFile> weights, String commit) throws IOException {
    long missing = 0;
    for (RemoteFile file : weights) {
      Path path = directory.resolve(file.name());
      if (!Files.isRegularFile(path) || Files.size(path) != file.size()) {
        Path partial = partial(file, commit);
        missing += file.size() - (Files.exists(partial) ? Files.size(partial) : 0);
      }
    }
    long free = Files.getFileStore(directory).getUsableSpace();
    if (missing > free) {
      throw new FileSystemException(
          directory.toString(),
          null,
          "needs " + Units.bytes(missing) + " more, but only " + Units.bytes(free) + " are free");
    }
  }

  private void publish(Manifest manifest, Map<String, Path> staged) throws IOException {
    Optional<Manifest> before = Manifest.read(state).or(() -> Manifest.readUnfinished(state));
    if (staged.isEmpty()
        && Manifest.read(state).equals(Optional.of(manifest))
        && !Manifest.isUnfinished(state)) {
      return;
    }
    // From here on the folder cannot be opened until all of its files are of one revision.
    before.orElse(manifest).writeUnfinished(state);
    Manifest.delete(state);
    for (Map.Entry<String, Path> entry : staged.entrySet()) {
      Files.move(
          entry.getValue(), directory.resolve(entry.getKey()), StandardCopyOption.ATOMIC_MOVE);
    }
    for (String old : before.map(Manifest::files).orElse(List.of())) {
      if (!manifest.files().contains(old)) {
        Files.deleteIfExists(directory.resolve(old));
      }
    }
    DirectoryTree.forceEntries(directory);
    manifest.write(state);
    Manifest.deleteUnfinished(state);
    removeLeftovers();
  }

  /** Leftovers of pulls of other revisions. */
  private void removeLeftovers() throws IOException {
    try (Stream<Path> files = Files.list(state)) {
      for (Path file : files.filter(f -> f.toString().endsWith(".partial")).toList()) {
        Files.delete(file);
      }
    }
    DirectoryTree.delete(state.resolve(PreparedFiles.FOLDER));
  }
}
