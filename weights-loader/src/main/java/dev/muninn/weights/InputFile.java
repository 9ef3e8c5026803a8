package dev.muninn.weights;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;

/**
 * Files that a user names and that are read whole. How much is read is bounded, since a device or a
 * pipe may never end.
 */
public final class InputFile {
  private InputFile() {}

  /**
   * Reads a whole file, which may be a pipe.
   *
   * @param most bytes that it may have
   * @param purpose what it is read as, for the message: {@code a prompt}
   * @throws FileSystemException if it cannot be read or has more
   */
  public static byte[] read(Path file, int most, String purpose) throws IOException {
    if (Files.isRegularFile(file) && Files.size(file) > most) {
      throw tooMany(file.toString(), most, purpose);
    }
    try (InputStream stream = Files.newInputStream(file)) {
      return read(file.toString(), stream, most, purpose);
    } catch (IOException e) {
      throw named(file, e);
    }
  }

  /**
   * Reads a whole file of a model or a run, which is no pipe.
   *
   * @throws FileSystemException if it is not a regular file, cannot be read or has more bytes
   */
  public static byte[] readRegular(Path file, int most, String purpose) throws IOException {
    if (Files.exists(file) && !Files.isRegularFile(file) && !Files.isDirectory(file)) {
      throw new FileSystemException(
          file.toString(), null, "is a pipe, socket or device, expected a regular file");
    }
    return read(file, most, purpose);
  }

  /** Reads a whole stream, as {@link #read(Path, int, String)} does. */
  public static byte[] read(String source, InputStream stream, int most, String purpose)
      throws IOException {
    byte[] bytes = stream.readNBytes(most + 1);
    if (bytes.length > most) {
      throw tooMany(source, most, purpose);
    }
    return bytes;
  }

  /**
   * Reads the beginning of a text in UTF-8.
   *
   * @param most bytes to read; of a longer text a character that is cut is left out
   */
  public static String beginning(Path file, int most) throws IOException {
    byte[] bytes;
    try (InputStream stream = Files.newInputStream(file)) {
      bytes = stream.readNBytes(most);
    } catch (IOException e) {
      throw named(file, e);
    }
    Optional<String> other = otherThanText(bytes);
    if (other.isPresent()) {
      throw new FileSystemException(
          file.toString(), null, "found " + other.get() + ", expected a text");
    }
    return Utf8Text.decode(
        file.toString(), bytes.length < most ? bytes : Arrays.copyOf(bytes, whole(bytes)));
  }

  /** How many of some bytes are before a last character that may have been cut. */
  private static int whole(byte[] bytes) {
    int end = bytes.length - 1;
    while (end > bytes.length - 4 && (bytes[end] & 0xC0) == 0x80) {
      end--;
    }
    return end;
  }

  /**
   * What some bytes are that should begin a text, if they are known to be something else: a web
   * page, an archive, a document of an office, and the like.
   */
  public static Optional<String> otherThanText(byte[] bytes) {
    return FileContent.describeOtherThanText(bytes);
  }

  /**
   * A stream that refuses to go on behind some bytes.
   *
   * @throws FileSystemException at reading, if there are more
   */
  static InputStream limited(String source, InputStream stream, int most, String purpose) {
    return new FilterInputStream(stream) {
      private int left = most;

      @Override
      public int read() throws IOException {
        int value = super.read();
        if (value >= 0) {
          take(1);
        }
        return value;
      }

      @Override
      public int read(byte[] target, int offset, int length) throws IOException {
        int count = super.read(target, offset, length);
        take(Math.max(0, count));
        return count;
      }

      private void take(int count) throws IOException {
        left -= count;
        if (left < 0) {
          throw tooMany(source, most, purpose);
        }
      }
    };
  }

  private static FileSystemException tooMany(String source, int most, String purpose) {
    return new FileSystemException(
        source, null, "has more than " + most + " bytes, too many for " + purpose);
  }

  /** Such as "Is a directory", which does not say what is one. */
  private static FileSystemException named(Path file, IOException problem) {
    if (problem instanceof FileSystemException named) {
      return named;
    }
    FileSystemException named =
        new FileSystemException(
            file.toString(),
            null,
            Files.isDirectory(file) ? "is a directory" : problem.getMessage());
    named.initCause(problem);
    return named;
  }
}
