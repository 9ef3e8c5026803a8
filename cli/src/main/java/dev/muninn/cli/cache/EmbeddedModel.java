package dev.muninn.cli.cache;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * The small model in the program's own jar. Models are mapped from files, so its files are copied
 * to a cache directory, once for all runs.
 *
 * <p>Each file appears under its name when it is whole. So programs that start at once do not see
 * each other's halves or replace each other's files, and a file that was lost or cut is replaced
 * under the feet of a program that has it mapped without harm.
 *
 * @param version says which files these are: another version has another directory
 * @param files what there is to copy
 */
public record EmbeddedModel(String version, List<EmbeddedFile> files) {
  /** What the model is called. */
  public static final String NAME = "raven-tiny";

  private static final String RESOURCES = "/dev/muninn/cli/";

  /** The version, then a line for each file: its size and its name. */
  private static final String LIST = NAME + ".txt";

  /**
   * A file of the model.
   *
   * @param size in bytes
   */
  public record EmbeddedFile(String name, long size) {

    private boolean isWholeIn(Path directory) throws IOException {
      Path file = directory.resolve(name);
      return Files.isRegularFile(file) && Files.size(file) == size;
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
        int space = line.indexOf(' ');
        files.add(
            new EmbeddedFile(line.substring(space + 1), Long.parseLong(line.substring(0, space))));
      }
      return new EmbeddedModel(version, files);
    }
  }

  /**
   * The directory with the model's files.
   *
   * @param environment says where the {@link CacheDirectory} is. Where it cannot be written, a
   *     temporary directory serves until the JVM ends.
   */
  public Path directory(Map<String, String> environment) throws IOException {
    try {
      Path cached = CacheDirectory.of(environment).path().resolve(NAME + "-" + version);
      complete(cached);
      return cached;
    } catch (IOException e) {
      return temporary();
    }
  }

  private void complete(Path directory) throws IOException {
    for (EmbeddedFile file : files) {
      if (!file.isWholeIn(directory)) {
        Files.createDirectories(directory);
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
