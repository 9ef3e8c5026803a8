package dev.muninn.cli.cache;

import dev.muninn.cli.files.FileProblem;
import dev.muninn.cli.files.UserDirectories;
import dev.muninn.weights.AtomicFile;
import dev.muninn.weights.DirectoryTree;
import dev.muninn.weights.PrivateDirectory;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Where Muninn keeps what it can make again: unpacked images of the single binary, by their hash,
 * and the built-in model, by its version.
 *
 * @param path the directory, which need not exist
 */
record CacheDirectory(Path path) {
  private static final Pattern IMAGE = Pattern.compile("[0-9a-f]{64}");
  private static final Pattern PARTIAL = Pattern.compile("[0-9a-f]{64}\\.\\w{6}");
  private static final Pattern MODEL = Pattern.compile("raven-tiny-[0-9a-f]{16}");

  /** What an image is called while it is removed: an unfinished one, to whoever sees it. */
  private static final String REMOVED = ".000000";

  /** Unpacking takes seconds: what is unfinished for longer than this stays so. */
  private static final Duration UNFINISHED = Duration.ofMinutes(15);

  /**
   * The directory that the environment names: {@code MUNINN_CACHE}, or muninn under {@code
   * XDG_CACHE_HOME} or under .cache in {@code HOME}.
   *
   * @throws IOException if there is no home directory
   */
  static CacheDirectory of(Map<String, String> environment) throws IOException {
    return new CacheDirectory(UserDirectories.cache(environment));
  }

  /** As {@link #of}, but empty where there is no home directory. */
  static Optional<CacheDirectory> find(Map<String, String> environment) {
    try {
      return Optional.of(of(environment));
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  /**
   * Refuses a directory that the built-in model could not be kept in.
   *
   * @throws IOException in one line, if others can write to it, or {@code MUNINN_CACHE} names it
   *     and it is no directory
   */
  void check(Map<String, String> environment) throws IOException {
    try {
      PrivateDirectory.check(path);
    } catch (PrivateDirectory.NotPrivateException e) {
      throw e;
    } catch (IOException e) {
      if (UserDirectories.isCacheChosen(environment)) {
        throw refusal(e);
      }
    }
  }

  /** Refuses a directory of {@code MUNINN_CACHE} that nothing can be put into. */
  void requireWritable(Map<String, String> environment) throws IOException {
    if (UserDirectories.isCacheChosen(environment)
        && Files.isDirectory(path)
        && !Files.isWritable(path)) {
      throw refusal(new AccessDeniedException(path.toString()));
    }
  }

  /** What to say of a directory of {@code MUNINN_CACHE} that cannot be used. */
  IOException refusal(IOException problem) {
    boolean named = problem instanceof FileSystemException known && known.getFile() != null;
    return new IOException(
        UserDirectories.CACHE
            + ": "
            + FileProblem.describe(named ? problem : AtomicFile.named(path, problem))
            + ", expected a directory that only you can write to",
        problem);
  }

  /**
   * A directory in the cache.
   *
   * @param bytes the size of its files
   * @param use why it stays when the cache is cleaned, or null if nothing needs it
   */
  record Entry(Path path, Kind kind, long bytes, String use) {}

  enum Kind {
    IMAGE("unpacked program"),
    PARTIAL("unfinished program"),
    MODEL("built-in model");

    final String description;

    Kind(String description) {
      this.description = description;
    }
  }

  /**
   * What is in it, by name; what is not Muninn's is left out.
   *
   * @param modelVersion the built-in model of this program
   */
  List<Entry> entries(String modelVersion) throws IOException {
    List<Entry> entries = new ArrayList<>();
    if (!Files.isDirectory(path)) {
      return entries;
    }
    List<Path> programs = runningPrograms();
    try (Stream<Path> directories = Files.list(path)) {
      for (Path directory : directories.sorted().filter(Files::isDirectory).toList()) {
        Kind kind = kind(directory.getFileName().toString());
        if (kind != null) {
          String use = use(directory, kind, modelVersion, programs);
          entries.add(new Entry(directory, kind, size(directory), use));
        }
      }
    }
    return entries;
  }

  private static Kind kind(String name) {
    if (IMAGE.matcher(name).matches()) {
      return Kind.IMAGE;
    }
    if (PARTIAL.matcher(name).matches()) {
      return Kind.PARTIAL;
    }
    return MODEL.matcher(name).matches() ? Kind.MODEL : null;
  }

  private static String use(Path directory, Kind kind, String modelVersion, List<Path> programs)
      throws IOException {
    return switch (kind) {
      case IMAGE -> {
        Path real = directory.toRealPath();
        if (Path.of(System.getProperty("java.home")).toRealPath().startsWith(real)) {
          yield "this version";
        }
        yield programs.stream().anyMatch(program -> program.startsWith(real)) ? "running" : null;
      }
      case PARTIAL -> {
        Instant begun = Files.getLastModifiedTime(directory).toInstant();
        yield begun.isAfter(Instant.now().minus(UNFINISHED)) ? "being unpacked" : null;
      }
      case MODEL -> directory.getFileName().toString().endsWith(modelVersion) ? "in use" : null;
    };
  }

  private static List<Path> runningPrograms() {
    return ProcessHandle.allProcesses()
        .flatMap(process -> process.info().command().stream())
        .map(Path::of)
        .toList();
  }

  private static long size(Path directory) throws IOException {
    try (Stream<Path> files = Files.walk(directory)) {
      return files
          .mapToLong(file -> {
            try {
              return Files.readAttributes(file, BasicFileAttributes.class).isRegularFile()
                  ? Files.size(file)
                  : 0;
            } catch (NoSuchFileException e) {
              return 0;
            } catch (IOException e) {
              throw new UncheckedIOException(e);
            }
          })
          .sum();
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
  }

  /** Removes an entry; a program that starts meanwhile finds all of it or nothing. */
  void remove(Entry entry) throws IOException {
    Path away = entry.path();
    if (entry.kind() == Kind.IMAGE) {
      away = path.resolve(entry.path().getFileName() + REMOVED);
      Files.move(entry.path(), away, StandardCopyOption.ATOMIC_MOVE);
    }
    DirectoryTree.delete(away);
  }
}
