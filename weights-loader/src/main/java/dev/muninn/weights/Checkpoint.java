package dev.muninn.weights;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The tensors of a directory, memory-mapped: nothing of the data is copied to the heap.
 *
 * <p>A checkpoint is either the single file {@value #SINGLE_FILE} or, only where that is absent,
 * the shards named by {@value #INDEX_FILE}; where both exist the single file wins and the index is
 * not read, as in Hugging Face transformers. Files may be larger than 2 GB and so may tensors.
 *
 * <p>The files may come from strangers. Each is checked against the whole format before any of its
 * data is mapped, and a file that breaks a rule is refused by a {@link CheckpointException} of one
 * line: file, tensor, what was found, what was expected. Beyond the rules of the format, a header
 * or index is refused if it has more than 5,000,000 JSON tokens (some 350,000 tensors), a name of
 * more than 50,000 characters or a lone surrogate.
 *
 * <p>Sharded checkpoints are read strictly. Each shard is a bare file name in the directory.
 * Symbolic links that stand there are their owner's and are followed anywhere: caches are built so.
 * The index and the shards must name exactly the same tensors: a tensor in a shard that the index
 * does not map to that shard is refused, and so is a mapped tensor that is not in its shard. Keys
 * of the index other than {@code weight_map} are ignored, but {@code metadata} must be an object if
 * there is one.
 *
 * <p>Where tensors share their data, the safetensors library's {@code save_model} writes one of
 * them and, for each other, its name in the metadata with the name of the one that was written.
 * {@link #tensor} and {@link #contains} know these names too; {@link #tensors} has only what stands
 * in the files.
 *
 * <h2>Files that change while they are mapped</h2>
 *
 * The mapped bytes are the file's. If another process writes to the file in place, its bytes appear
 * in the tensors, whole or in part; no error is raised. If the file shrinks, reading a page that
 * lies wholly past its new end is a fault of the machine (SIGBUS), which the JVM turns into an
 * {@link InternalError} in the reading thread: at the read in interpreted code, and some
 * instructions later in compiled code, possibly only after the loop or method around it. A compiled
 * method that has vector loads of a segment and no plain {@code get} is not covered: there the
 * fault ends the process. {@link Tensor#get} and {@link SafetensorsWriter} report the former as a
 * {@link CheckpointException}; whoever reads much, or reads {@link Tensor#data} itself, has to
 * expect the error, or uses {@link #guard}. Bytes between the new end and the end of its page read
 * as zero, without an error. A file that is deleted or replaced by another does no harm: the map
 * keeps the old one. {@link #verifyUnchanged} notices all of these, as far as the file's size, time
 * and identity show them; {@link #watch} does for a long computation, between its parts.
 *
 * <p>A checkpoint may be used by many threads. After {@link #close} its tensors' names and shapes
 * remain, but reading their data throws {@link IllegalStateException}.
 */
public final class Checkpoint implements AutoCloseable {
  /** The name of an unsharded checkpoint's only file. */
  public static final String SINGLE_FILE = "model.safetensors";

  /** The name of a sharded checkpoint's index. */
  public static final String INDEX_FILE = "model.safetensors.index.json";

  /** The folder of a pull's own files, in a model's. */
  public static final String PULL_FOLDER = ".muninn-pull";

  /** A file in it: which revision was pulled. */
  public static final String PULLED = "manifest.json";

  /** A file in it, while the files of one revision replace those of another. */
  public static final String UNFINISHED = "unfinished.json";

  /** What HotSpot says of memory whose file has shrunk. */
  private static final String LOST_DATA = "unsafe memory access operation";

  private static final long WATCH_NANOS = 50_000_000;

  private final Path directory;
  private final Arena arena;
  private final List<MappedFile> files;
  private final Map<String, Tensor> tensors;
  private final Map<String, Tensor> aliases;
  private final AtomicLong watched = new AtomicLong(System.nanoTime());

  private record MappedFile(FileState state, Map<String, String> metadata, MemorySegment bytes) {}

  private Checkpoint(
      Path directory,
      Arena arena,
      List<MappedFile> files,
      Map<String, Tensor> tensors,
      Map<String, Tensor> aliases) {
    this.directory = directory;
    this.arena = arena;
    this.files = files;
    this.tensors = tensors;
    this.aliases = aliases;
  }

  /**
   * Opens and checks a checkpoint and maps its files.
   *
   * @param directory the directory with {@value #SINGLE_FILE} or {@value #INDEX_FILE}
   * @return the checkpoint, to be closed by the caller
   * @throws CheckpointException if there is none, or if any of its files breaks a rule
   */
  public static Checkpoint open(Path directory) {
    requireDirectory(directory);
    PulledRevision revision = PulledRevision.of(directory);
    Checkpoint checkpoint = openFiles(directory);
    try {
      revision.verifySame();
      return checkpoint;
    } catch (RuntimeException | Error changed) {
      checkpoint.close();
      throw changed;
    }
  }

  /**
   * Opens one file of weights by itself, be it a shard of a checkpoint whose others are not there.
   *
   * @param file a safetensors file of any name
   * @return the checkpoint, to be closed by the caller
   * @throws CheckpointException if the file breaks a rule
   */
  public static Checkpoint openFile(Path file) {
    return load(file.toAbsolutePath().getParent(), null, List.of(file));
  }

  private static Checkpoint openFiles(Path directory) {
    Path single = directory.resolve(SINGLE_FILE);
    if (exists(single)) {
      return load(directory, null, List.of(single));
    }
    Path index = directory.resolve(INDEX_FILE);
    if (exists(index)) {
      ShardIndex shardIndex = ShardIndex.read(index);
      return load(directory, shardIndex, shardIndex.shards());
    }
    throw CheckpointException.refusal(
        directory,
        "neither " + SINGLE_FILE + " nor " + INDEX_FILE + OtherWeights.besides(directory),
        "one of them in the directory");
  }

  private static void requireDirectory(Path directory) {
    String expected = "the directory of a checkpoint";
    try {
      if (!Files.readAttributes(directory, BasicFileAttributes.class).isDirectory()) {
        throw CheckpointException.refusal(directory, "a file", expected);
      }
    } catch (NoSuchFileException missing) {
      throw CheckpointException.refusal(directory, "no such directory", expected);
    } catch (IOException problem) {
      throw CheckpointException.failure(directory, expected, problem);
    }
  }

  /** Whether the name is taken; if it is a broken link or no file, opening it will tell. */
  private static boolean exists(Path file) {
    return !Files.notExists(file, LinkOption.NOFOLLOW_LINKS);
  }

  private static Checkpoint load(Path directory, ShardIndex index, List<Path> paths) {
    List<MappedFile> files = new ArrayList<>();
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    Arena arena = Arena.ofShared();
    try {
      for (Path path : paths) {
        try (SourceFile source = SourceFile.open(path)) {
          SafetensorsHeader header = SafetensorsHeader.read(path, source.channel(), source.size());
          MemorySegment bytes = source.map(arena);
          MemorySegment data = bytes.asSlice(header.dataOffset());
          for (SafetensorsHeader.Entry entry : header.entries()) {
            Tensor tensor = entry.tensor(path, data);
            if (index != null) {
              index.requireMapped(path, tensor);
            }
            tensors.put(tensor.name(), tensor);
          }
          files.add(new MappedFile(source.state(), header.metadata(), bytes));
        }
      }
      Map<String, Tensor> aliases = aliases(files, tensors);
      if (index != null) {
        index.requireAllFound(tensors, aliases);
      }
      return new Checkpoint(directory, arena, files, Collections.unmodifiableMap(tensors), aliases);
    } catch (RuntimeException | Error problem) {
      arena.close();
      throw problem;
    }
  }

  /** The tensors that the metadata calls by a second name, by that name. */
  private static Map<String, Tensor> aliases(List<MappedFile> files, Map<String, Tensor> tensors) {
    Map<String, Tensor> aliases = new HashMap<>();
    for (MappedFile file : files) {
      for (Map.Entry<String, String> entry : file.metadata.entrySet()) {
        String name = entry.getKey();
        Tensor written = tensors.get(entry.getValue());
        if (written != null
            && written.file().equals(file.state.path())
            && !tensors.containsKey(name)) {
          aliases.put(
              name,
              new Tensor(name, written.dtype(), written.shape(), written.data(), written.file()));
        }
      }
    }
    return aliases;
  }

  /**
   * All tensors by name, in the order of the files and of the data in each; the map cannot be
   * modified.
   */
  public Map<String, Tensor> tensors() {
    return tensors;
  }

  /** Whether there is a tensor of this name, or one that the metadata calls so too. */
  public boolean contains(String name) {
    return tensors.containsKey(name) || aliases.containsKey(name);
  }

  /**
   * The tensor of this name, or the one that the metadata calls so too, under this name.
   *
   * @throws CheckpointException if there is none
   */
  public Tensor tensor(String name) {
    Tensor tensor = tensors.containsKey(name) ? tensors.get(name) : aliases.get(name);
    if (tensor == null) {
      throw CheckpointException.refusal(
          directory, name, "no such tensor", "one of the " + tensors.size() + " in the checkpoint");
    }
    return tensor;
  }

  /**
   * The texts under {@code __metadata__} in one of the files, in file order; empty if it has none.
   *
   * @param file one of {@link #files}
   * @throws CheckpointException if it is none of them
   */
  public Map<String, String> metadata(Path file) {
    for (MappedFile mapped : files) {
      if (mapped.state.path().equals(file)) {
        return mapped.metadata;
      }
    }
    throw CheckpointException.refusal(file, "a file of no tensor", "one of " + files());
  }

  /** The mapped files: the single file, or the shards ordered by name. */
  public List<Path> files() {
    return files.stream().map(file -> file.state.path()).toList();
  }

  /** The size of all mapped files together, headers included, in bytes. */
  public long mappedBytes() {
    long bytes = 0;
    for (MappedFile file : files) {
      bytes += file.state.size();
    }
    return bytes;
  }

  /**
   * Maps data once more, together with bytes that stand before it in its file, for a reader that
   * wants to write there. The new map is private: what is written to it stays in memory, and
   * neither the file nor any tensor changes.
   *
   * @param data a tensor's data, or a part of it
   * @param before bytes before the data
   * @return {@code before + data.byteSize()} bytes, which live as long as the arena
   * @throws IllegalArgumentException if the data is of no tensor of this checkpoint, or has fewer
   *     bytes before it
   * @throws CheckpointException if the file is not what it was when it was opened, or cannot be
   *     mapped
   */
  public MemorySegment mapPrivate(MemorySegment data, long before, Arena target) {
    for (MappedFile file : files) {
      long from = data.address() - file.bytes.address();
      if (data.isNative() && from >= 0 && data.byteSize() <= file.bytes.byteSize() - from) {
        if (before > from) {
          throw new IllegalArgumentException(
              file.state.path() + " has " + from + " bytes before the data, not " + before);
        }
        file.state.verifyUnchanged();
        MemorySegment mapped =
            PrivateMap.map(file.state.path(), from - before, before + data.byteSize(), target);
        file.state.verifyUnchanged();
        return mapped;
      }
    }
    throw new IllegalArgumentException(directory + " has no tensor with that data");
  }

  /** The directory, as it was given to {@link #open}. */
  public Path directory() {
    return directory;
  }

  /**
   * Checks that each file still has the size, the time of last change and the identity that it had
   * when it was mapped.
   *
   * @throws CheckpointException if one has not, or is gone
   */
  public void verifyUnchanged() {
    for (MappedFile file : files) {
      file.state.verifyUnchanged();
    }
  }

  /** What reads tensors' data. */
  @FunctionalInterface
  public interface Reading<T, E extends Exception> {
    /** Reads. */
    T run() throws E;
  }

  /**
   * Runs what reads tensors' data. What the JVM reports of data that is gone, if need be after the
   * read itself, becomes an error that names the file.
   *
   * @throws CheckpointException if a file has shrunk
   */
  public <T, E extends Exception> T guard(Reading<T, E> reading) throws E {
    try {
      return reading.run();
    } catch (InternalError fault) {
      if (explain(fault) instanceof CheckpointException changed) {
        throw changed;
      }
      throw fault;
    }
  }

  /**
   * What a failure of a computation on tensors' data is to be called.
   *
   * @return the error that names a file, if the failure is the JVM's of data that is gone and a
   *     file has shrunk; else the failure itself
   */
  public Throwable explain(Throwable failure) {
    if (failure instanceof InternalError) {
      try {
        verifyUnchanged();
      } catch (CheckpointException changed) {
        changed.addSuppressed(failure);
        return changed;
      }
    }
    return failure;
  }

  /**
   * Whether the JVM means by an error that mapped data is gone, for a caller that no longer has the
   * checkpoint.
   */
  public static boolean isLostData(InternalError fault) {
    return String.valueOf(fault.getMessage()).contains(LOST_DATA);
  }

  /**
   * Checks, at most 20 times a second, that no mapped file was written to or has shrunk: cheap
   * enough to be called between two applications of the model. Unlike {@link #verifyUnchanged}, it
   * permits files that were deleted or replaced.
   *
   * @throws CheckpointException if one was
   */
  public void watch() {
    long now = System.nanoTime();
    long last = watched.get();
    if (now - last >= WATCH_NANOS && watched.compareAndSet(last, now)) {
      for (MappedFile file : files) {
        file.state.verifyNotWritten();
      }
    }
  }

  /**
   * Unmaps all files. A second call does nothing.
   *
   * @throws CheckpointException if the system is reading or writing from the map at this moment (a
   *     transfer to a channel, a native call); the checkpoint then stays open
   */
  @Override
  public synchronized void close() {
    if (!arena.scope().isAlive()) {
      return;
    }
    try {
      arena.close();
    } catch (IllegalStateException busy) {
      throw new CheckpointException(
          directory + ": found its data in use by a transfer, expected close() after its end",
          busy);
    }
  }
}
