package dev.muninn.binary;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * Builds the image that runs where no Java is installed, and packs it: as a tar.gz, and as one file
 * that unpacks itself.
 *
 * <p>The image holds {@code bin/muninn}, a run-time image of Java in {@code runtime}, and in {@code
 * lib} the application, the tokenizer's native library and the AOT cache.
 */
public final class BuildBinary {
  private BuildBinary() {}

  /**
   * Builds.
   *
   * @param arguments the module's directory, its target directory, the version, and the name of
   *     what is built
   */
  public static void main(String[] arguments) throws IOException, InterruptedException {
    Path module = Path.of(arguments[0]);
    Path target = Path.of(arguments[1]);
    String version = arguments[2];
    String name = arguments[3];
    Path work = target.resolve("image");
    deleteTree(work);
    Path image = Files.createDirectories(work.resolve(name));
    Path lib = Files.createDirectories(image.resolve("lib"));
    RuntimeImage.link(image.resolve("runtime"));
    List<String> classPath = ApplicationJars.copy(target.resolve("lib"), lib);
    copyImageFiles(module.resolve("src/main/image"), image, classPath);
    Files.copy(module.resolve("../../LICENSE"), image.resolve("LICENSE"));
    AotCache.train(image, classPath, target);
    Path archive = target.resolve(name + ".tar.gz");
    Archive.write(work, name, archive);
    SelfExtractor.write(
        module.resolve("src/main/sh/self-extractor.sh"),
        Map.of("VERSION", version, "NAME", name),
        archive,
        target.resolve(name));
  }

  private static void copyImageFiles(Path from, Path image, List<String> classPath)
      throws IOException {
    try (Stream<Path> files = Files.walk(from)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        Path to = image.resolve(from.relativize(file));
        Files.createDirectories(to.getParent());
        String text =
            Files.readString(file).replace("@CLASS_PATH@", inRoot(classPath, "$root/lib/"));
        Files.writeString(to, text);
      }
    }
    Path script = image.resolve("bin/muninn");
    if (!script.toFile().setExecutable(true, false)) {
      throw new IOException(script + ": cannot be made executable");
    }
  }

  /** A class path of jars in a directory. */
  static String inRoot(List<String> classPath, String prefix) {
    return String.join(":", classPath.stream().map(jar -> prefix + jar).toList());
  }

  /** Runs a program, and fails if it fails. */
  static void run(ProcessBuilder builder) throws IOException, InterruptedException {
    int exitCode = builder.start().waitFor();
    if (exitCode != 0) {
      throw new IOException(builder.command().getFirst() + " failed with exit code " + exitCode);
    }
  }

  /** Deletes a directory with all in it, if it is there. */
  static void deleteTree(Path root) throws IOException {
    if (!Files.exists(root)) {
      return;
    }
    try (Stream<Path> paths = Files.walk(root)) {
      for (Path path : paths.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    }
  }

  /** Puts a file where another is, at once. */
  static void replace(Path partial, Path file) throws IOException {
    Files.move(partial, file, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
  }
}
