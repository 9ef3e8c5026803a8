package dev.muninn.text;

import ai.djl.huggingface.tokenizers.jni.LibUtils;
import ai.djl.huggingface.tokenizers.jni.TokenizersLibrary;
import dev.muninn.backend.InferenceException;
import dev.muninn.weights.PrivateDirectory;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.JarURLConnection;
import java.net.URL;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.jar.JarEntry;
import java.util.zip.CRC32;

/**
 * Unpacks the native part of the tokenizer library into a directory that no other user can write
 * to. The library itself would unpack it to a directory that anybody could have made before, and
 * load what lies there.
 *
 * <p>The directory is this user's alone and the file's content is compared with the packed one at
 * each start. It lies in DJL_CACHE_DIR if that is set, else in {@code .djl.ai} in the user's home
 * or, where that cannot be written to, in a new directory under TMPDIR or java.io.tmpdir that goes
 * when the process ends.
 */
final class NativeLibrary {
  /** The library's own setting: loads the file it names, and unpacks nothing. */
  private static final String SETTING = "RUST_LIBRARY_PATH";

  /** Another: where it may unpack. */
  private static final String DIRECTORY = "DJL_CACHE_DIR";

  private static boolean provided;
  private static boolean loaded;

  private NativeLibrary() {}

  /**
   * Loads the library, once. A file that is known needs nothing of the library's own Java code,
   * which looks around for graphics cards and for logging first.
   *
   * @throws InferenceException as {@link #provide}
   * @throws RuntimeException or an UnsatisfiedLinkError, if it does not load
   */
  static synchronized void load() {
    if (loaded) {
      return;
    }
    provide();
    String chosen = System.getenv(SETTING);
    Path file = file(isSet(chosen) ? chosen : System.getProperty(SETTING));
    if (file == null) {
      LibUtils.checkStatus();
    } else {
      System.load(file.toString());
    }
    loaded = true;
  }

  /** The one file that is to be loaded, or null if it takes more to know that. */
  private static Path file(String chosen) {
    // Native methods are looked for in what their own class's loader has loaded.
    if (!isSet(chosen)
        || platform().startsWith("win")
        || NativeLibrary.class.getClassLoader() != TokenizersLibrary.class.getClassLoader()) {
      return null;
    }
    Path file = Path.of(chosen).toAbsolutePath();
    return file.endsWith(System.mapLibraryName("tokenizers")) && Files.isRegularFile(file)
        ? file
        : null;
  }

  /**
   * Unpacks the library for this platform once, and tells it where it is. Does nothing where the
   * user has set {@code RUST_LIBRARY_PATH}, or the platform is none of the packed ones.
   *
   * @throws InferenceException in one line, if the directory belongs to another user, or the one
   *     that is set cannot be written to
   */
  static synchronized void provide() {
    if (provided || isSet(System.getenv(SETTING)) || isSet(System.getProperty(SETTING))) {
      return;
    }
    String platform = platform();
    String first = System.mapLibraryName("tokenizers");
    if (resource(first) == null) {
      return;
    }
    Path directory = directory(platform);
    for (String file : files(platform, first)) {
      unpack(resource(file), directory.resolve(file));
    }
    System.setProperty(SETTING, directory.resolve(first).toString());
    provided = true;
  }

  private static List<String> files(String platform, String library) {
    return platform.startsWith("win")
        ? List.of("libwinpthread-1.dll", "libgcc_s_seh-1.dll", "libstdc++-6.dll", library)
        : List.of(library);
  }

  private static String platform() {
    String system = System.getProperty("os.name").toLowerCase(Locale.ROOT);
    String processor = System.getProperty("os.arch").toLowerCase(Locale.ROOT);
    return (system.startsWith("win") ? "win" : system.startsWith("mac") ? "osx" : "linux")
        + '-'
        + (processor.equals("amd64") ? "x86_64" : processor);
  }

  /** A file that is packed for this platform, or null. */
  static URL resource(String file) {
    return LibUtils.class.getResource("/native/lib/" + platform() + "/cpu/" + file);
  }

  private static Path directory(String platform) {
    String version = LibUtils.class.getPackage().getImplementationVersion();
    String name = "muninn-" + platform + (version == null ? "" : '-' + version);
    String chosen = System.getenv(DIRECTORY);
    if (isSet(chosen)) {
      return chosen(chosen, name);
    }
    Path home = Path.of(System.getProperty("user.home")).toAbsolutePath();
    try {
      return own(home.resolve(".djl.ai").resolve(name));
    } catch (IOException | UncheckedIOException problem) {
      return temporary();
    }
  }

  /**
   * A directory in the one that the user has chosen.
   *
   * @throws InferenceException in one line, if it cannot be made
   */
  static Path chosen(String parent, String name) {
    try {
      return own(Path.of(parent).toAbsolutePath().resolve(name));
    } catch (IOException | UncheckedIOException | InvalidPathException problem) {
      throw new InferenceException(
          DIRECTORY + " is " + parent + ", which is no directory that can be written to", problem);
    }
  }

  /**
   * A directory that belongs to this user, and that no other can write to; makes it if it is
   * missing.
   *
   * @throws IOException if it cannot be made
   * @throws InferenceException in one line, if others could change what lies there
   */
  static Path own(Path directory) throws IOException {
    try {
      return PrivateDirectory.create(directory);
    } catch (PrivateDirectory.NotPrivateException e) {
      throw new InferenceException(
          "the tokenizer library's directory "
              + e.getMessage()
              + "; remove it or set DJL_CACHE_DIR to another",
          e);
    }
  }

  private static Path temporary() {
    try {
      Path directory = Files.createTempDirectory(temporaryParent(), "muninn");
      for (String file : files(platform(), System.mapLibraryName("tokenizers"))) {
        // Deleted in reverse order: the directory last.
        directory.toFile().deleteOnExit();
        directory.resolve(file).toFile().deleteOnExit();
      }
      return directory;
    } catch (IOException problem) {
      throw new InferenceException(
          "the tokenizer library cannot be unpacked, neither to ~/.djl.ai nor to the directory for"
              + " temporary files: "
              + problem.getMessage(),
          problem);
    }
  }

  private static Path temporaryParent() {
    String chosen = System.getenv("TMPDIR");
    return isSet(chosen) && Files.isDirectory(Path.of(chosen))
        ? Path.of(chosen)
        : Path.of(System.getProperty("java.io.tmpdir"));
  }

  /** Writes the packed content to a file unless it has it. */
  static void unpack(URL packed, Path file) {
    try {
      if (Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS) && isSame(packed, file)) {
        return;
      }
      Path partial = Files.createTempFile(file.getParent(), file.getFileName().toString(), null);
      try (InputStream content = packed.openStream()) {
        Files.copy(content, partial, StandardCopyOption.REPLACE_EXISTING);
        move(partial, file);
      } finally {
        Files.deleteIfExists(partial);
      }
    } catch (IOException problem) {
      throw new InferenceException(
          "the tokenizer library cannot be unpacked to " + file + ": " + problem.getMessage(),
          problem);
    }
  }

  private static void move(Path partial, Path file) throws IOException {
    try {
      Files.move(partial, file, StandardCopyOption.ATOMIC_MOVE);
    } catch (AtomicMoveNotSupportedException unsupported) {
      Files.move(partial, file, StandardCopyOption.REPLACE_EXISTING);
    }
  }

  /** Compares with the checksum that the archive has, which costs no unpacking. */
  private static boolean isSame(URL packed, Path file) throws IOException {
    if (packed.openConnection() instanceof JarURLConnection archive) {
      JarEntry entry = archive.getJarEntry();
      return entry.getSize() == Files.size(file) && entry.getCrc() == checksum(file);
    }
    try (InputStream one = packed.openStream();
        InputStream other = Files.newInputStream(file)) {
      byte[] buffer = new byte[1 << 16];
      for (int read = one.readNBytes(buffer, 0, buffer.length);
          read > 0;
          read = one.readNBytes(buffer, 0, buffer.length)) {
        byte[] next = other.readNBytes(read);
        if (!Arrays.equals(buffer, 0, read, next, 0, next.length)) {
          return false;
        }
      }
      return other.read() < 0;
    }
  }

  private static long checksum(Path file) throws IOException {
    CRC32 checksum = new CRC32();
    try (InputStream content = Files.newInputStream(file)) {
      byte[] buffer = new byte[1 << 16];
      for (int read = content.read(buffer); read >= 0; read = content.read(buffer)) {
        checksum.update(buffer, 0, read);
      }
    }
    return checksum.getValue();
  }

  private static boolean isSet(String value) {
    return value != null && !value.isEmpty();
  }
}
