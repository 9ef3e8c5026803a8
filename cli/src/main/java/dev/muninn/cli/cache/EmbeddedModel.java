package dev.muninn.cli.cache;

import dev.muninn.cli.files.UserDirectories;
import dev.muninn.weights.AtomicFile;
import dev.muninn.weights.PrivateDirectory;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * The small model in the program's own jar. Models are mapped from files, so its files are copied
 * to a cache directory, once for all runs.
 *
 * <p>Each file appears under its name when it is whole. So programs that start at once do not see
 * each other's halves or replace each other's files, and a file that was lost or cut is replaced
 * under the feet of a program that has it mapped without harm.
 *
 * <p>The cache is this user's alone, and what lies there is compared with what was packed by its
 * hash. Hashing takes longer than a short answer, so a record says which files were compared: any
 * change of one gives it another time of change, which cannot be set.
 *
 * @param version says which files these are: another version has another directory
 * @param files what there is to copy
 */
public record EmbeddedModel(String version, List<EmbeddedFile> files) {
  /** What the model is called. */
  public static final String NAME = "raven-tiny";

  private static final String RESOURCES = "/dev/muninn/cli/";

  /** Says which files were compared, and the state that they were in. */
  static final String RECORD = ".verified";

  /** The version, then a line for each file: its SHA-256, its size and its name. */
  private static final String LIST = NAME + ".txt";

  /**
   * A file of the model.
   *
   * @param hash the SHA-256 of its contents, in hexadecimal digits
   * @param size in bytes
   */
  public record EmbeddedFile(String name, String hash, long size) {

    private boolean isWholeIn(Path directory) throws IOException {
      Path file = directory.resolve(name);
      return Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)
          && Files.size(file) == size
          && hash.equals(hash(file));
    }

    private static String hash(Path file) throws IOException {
      try {
        byte[] digest = MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(file));
        return HexFormat.of().formatHex(digest);
      } catch (NoSuchAlgorithmException e) {
        throw new IllegalStateException(e);
      }
    }

    /** What changes when the file is changed or another takes its place. */
    private String stateIn(Path directory) throws IOException {
      Path file = directory.resolve(name);
      String attributes =
          file.getFileSystem().supportedFileAttributeViews().contains("unix")
              ? "unix:ino,size,lastModifiedTime,ctime"
              : "size,lastModifiedTime,creationTime";
      return name
          + new TreeMap<>(Files.readAttributes(file, attributes, LinkOption.NOFOLLOW_LINKS))
          + '\n';
    }

    /**
     * A link does not replace what another program has put there meanwhile: that one may have
     * opened it already, and takes a new file for a changed one.
     */
    private void putInPlace(Path partial, Path directory) throws IOException {
      Path file = directory.resolve(name);
      try {
        Files.createLink(file, partial);
      } catch (IOException | UnsupportedOperationException e) {
        if (!isWholeIn(directory)) {
          Files.move(partial, file, StandardCopyOption.ATOMIC_MOVE);
        }
      }
    }

    private void copyTo(Path directory) throws IOException {
      Path partial = Files.createTempFile(directory, name + ".", ".partial");
      try (InputStream contents =
          EmbeddedModel.class.getResourceAsStream(RESOURCES + NAME + "/" + name)) {
        Files.copy(contents, partial, StandardCopyOption.REPLACE_EXISTING);
        putInPlace(partial, directory);
      } finally {
        Files.deleteIfExists(partial);
      }
    }
  }

  /** Reads what the jar holds. */
  public static EmbeddedModel read() throws IOException {
    try (InputStream stream = EmbeddedModel.class.getResourceAsStream(RESOURCES + LIST);
        BufferedReader lines =
            new BufferedReader(new InputStreamReader(stream, StandardCharsets.UTF_8))) {
      String version = lines.readLine();
      List<EmbeddedFile> files = new ArrayList<>();
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        String[] fields = line.split(" ", 3);
        files.add(new EmbeddedFile(fields[2], fields[0], Long.parseLong(fields[1])));
      }
      return new EmbeddedModel(version, files);
    }
  }

  /**
   * The directory with the model's files.
   *
   * @param environment says where the {@link CacheDirectory} is. Where the usual one cannot be
   *     written to, a temporary directory serves until the JVM ends.
   * @throws PrivateDirectory.NotPrivateException in one line, if others could change the cache
   * @throws IOException in one line, if the directory of {@code MUNINN_CACHE} cannot be used
   */
  public Path directory(Map<String, String> environment) throws IOException {
    Optional<CacheDirectory> chosen = CacheDirectory.find(environment);
    if (chosen.isEmpty()) {
      return temporary();
    }
    try {
      Path cache = PrivateDirectory.create(chosen.get().path());
      Path cached = PrivateDirectory.create(cache.resolve(NAME + "-" + version));
      completeOnce(cached);
      return cached;
    } catch (PrivateDirectory.NotPrivateException e) {
      throw e;
    } catch (IOException e) {
      if (UserDirectories.isCacheChosen(environment)) {
        throw chosen.get().refusal(e);
      }
      return temporary();
    }
  }

  /** Compares the contents of files only if one has changed since they were compared. */
  private void completeOnce(Path directory) throws IOException {
    Path record = directory.resolve(RECORD);
    if (Files.isRegularFile(record, LinkOption.NOFOLLOW_LINKS)
        && Files.readString(record).equals(state(directory))) {
      return;
    }
    complete(directory);
    AtomicFile.write(record, state(directory).getBytes(StandardCharsets.UTF_8));
  }

  private String state(Path directory) throws IOException {
    StringBuilder state = new StringBuilder();
    for (EmbeddedFile file : files) {
      try {
        state.append(file.stateIn(directory));
      } catch (NoSuchFileException e) {
        return "";
      }
    }
    return state.toString();
  }

  private void complete(Path directory) throws IOException {
    for (EmbeddedFile file : files) {
      if (!file.isWholeIn(directory)) {
        file.copyTo(directory);
      }
    }
  }

  private Path temporary() throws IOException {
    Path directory = Files.createTempDirectory("muninn-" + NAME + "-");
    // Deleted in reverse order: the directory last, when it is empty.
    directory.toFile().deleteOnExit();
    files.forEach(file -> new File(directory.toFile(), file.name()).deleteOnExit());
    complete(directory);
    return directory;
  }
}
