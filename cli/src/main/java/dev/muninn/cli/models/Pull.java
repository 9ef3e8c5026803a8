package dev.muninn.cli.models;

import dev.muninn.cli.output.Units;
import dev.muninn.family.ConfigReader;
import dev.muninn.family.ModelFamilies;
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
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
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
  private final Patience patience;
  private final PullProgress progress;

  Pull(
      Endpoint endpoint,
      ModelReference model,
      Path directory,
      Patience patience,
      PullProgress progress) {
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
      }
    }
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
    Map<RemoteFile, Path> staged = new LinkedHashMap<>();
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
    requireSpace(weights, listing.commit());
    for (RemoteFile file : weights) {
      wanted.add(file);
      fetched += provide(transport, listing.commit(), file, staged);
    }
    Manifest manifest =
        new Manifest(
            model.model(),
            endpoint.toString(),
            revision,
            listing.commit(),
            wanted.stream().map(RemoteFile::name).toList());
    publish(manifest, staged);
    return new Result(manifest, wanted.stream().mapToLong(RemoteFile::size).sum(), fetched);
  }

  /** Refuses a model of a family that is not read here, before its weights are fetched. */
  private void requireKnownFamily(Map<RemoteFile, Path> staged) throws IOException {
    Path file = directory.resolve(RemoteFile.CONFIGURATION);
    for (Map.Entry<RemoteFile, Path> entry : staged.entrySet()) {
      if (entry.getKey().name().equals(RemoteFile.CONFIGURATION)) {
        file = entry.getValue();
      }
    }
    try {
      // Not the name that it has while it is staged.
      Path name = Path.of(RemoteFile.CONFIGURATION);
      ModelFamilies.requireKnown(ConfigReader.of(name, JsonFile.readObject(file)));
    } catch (CheckpointException e) {
      throw new IOException(model + ": " + e.getMessage(), e);
    }
  }

  /** Takes a file that is there already, or fetches it to its partial name. */
  private long provide(
      Transport transport, String commit, RemoteFile file, Map<RemoteFile, Path> staged)
      throws IOException {
    if (isThere(file)) {
      return 0;
    }
    Path partial = partial(file, commit);
    progress.file(file.name(), file);
    long fetched =
        new FileDownload(
                transport, endpoint.file(model, commit, file.name()), file, patience, progress)
            .completeAt(partial);
    progress.fileEnded(file);
    staged.put(file, partial);
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
  private List<RemoteFile> weights(Listing listing, Map<RemoteFile, Path> staged)
      throws IOException {
    Map<String, RemoteFile> listed = new LinkedHashMap<>();
    Optional<RemoteFile> index = Optional.empty();
    for (RemoteFile file : listing.files()) {
      if (file.isWeights()) {
        listed.put(file.name(), file);
      } else if (file.name().equals(RemoteFile.INDEX)) {
        index = Optional.of(file);
      }
    }
    if (listed.containsKey(RemoteFile.SINGLE)) {
      return List.of(listed.get(RemoteFile.SINGLE));
    }
    Path path = staged.getOrDefault(index.orElseThrow(), directory.resolve(RemoteFile.INDEX));
    List<RemoteFile> shards = new ArrayList<>();
    for (String shard : shards(path)) {
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

  private static Set<String> shards(Path index) throws IOException {
    Set<String> shards = new TreeSet<>();
    if (JsonFile.readObject(index).get("weight_map") instanceof Map<?, ?> map) {
      for (Object shard : map.values()) {
        shards.add(String.valueOf(shard));
      }
    }
    if (shards.isEmpty()) {
      throw new IOException(RemoteFile.INDEX + " names no files of weights");
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

  private void publish(Manifest manifest, Map<RemoteFile, Path> staged) throws IOException {
    Optional<Manifest> before = Manifest.read(state).or(() -> Manifest.readUnfinished(state));
    if (staged.isEmpty()
        && Manifest.read(state).equals(Optional.of(manifest))
        && !Manifest.isUnfinished(state)) {
      return;
    }
    // From here on the folder cannot be opened until all of its files are of one revision.
    before.orElse(manifest).writeUnfinished(state);
    Manifest.delete(state);
    for (Map.Entry<RemoteFile, Path> entry : staged.entrySet()) {
      Files.move(
          entry.getValue(),
          directory.resolve(entry.getKey().name()),
          StandardCopyOption.ATOMIC_MOVE);
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
  }
}
