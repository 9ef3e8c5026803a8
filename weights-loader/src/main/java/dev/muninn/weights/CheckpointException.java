package dev.muninn.weights;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/**
 * A checkpoint or one of the files beside it was refused.
 *
 * <p>The message is always one line of at most {@value #MAX_MESSAGE_LENGTH} characters. It names
 * the file, the tensor where there is one, what was found and what was expected. Text that came
 * from the file cannot break the line or steer a terminal: control, formatting and line-separating
 * characters are shown by their code points.
 */
public final class CheckpointException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  static final int MAX_MESSAGE_LENGTH = 2_000;
  private static final int MAX_QUOTE_LENGTH = 120;
  private static final String CUT = " ... ";

  /**
   * Creates an exception from a message, which is made one line if it is not.
   *
   * @param message what was found, what was expected and where
   */
  public CheckpointException(String message) {
    super(oneLine(message));
  }

  /**
   * Creates an exception from a message, which is made one line if it is not, and its cause.
   *
   * @param message what was found, what was expected and where
   * @param cause what went wrong below
   */
  public CheckpointException(String message, Throwable cause) {
    super(oneLine(message), cause);
  }

  /**
   * Quotes text from a file for a message: in double quotes, and cut in the middle where it is
   * long.
   *
   * @param untrusted any text, for example a tensor's name
   * @return the text in double quotes, of bounded length
   */
  public static String quote(String untrusted) {
    String shown = cut(untrusted, MAX_QUOTE_LENGTH).replace("\\", "\\\\").replace("\"", "\\\"");
    return untrusted.length() <= MAX_QUOTE_LENGTH
        ? '"' + shown + '"'
        : '"' + shown + "\" (" + untrusted.length() + " characters)";
  }

  /** A refusal that concerns a whole file. */
  static CheckpointException refusal(Path file, String found, String expected) {
    return new CheckpointException(file + ": found " + found + ", expected " + expected);
  }

  /** A refusal that concerns one tensor of a file. */
  static CheckpointException refusal(Path file, String tensor, String found, String expected) {
    return new CheckpointException(
        file + ": tensor " + quote(tensor) + ": found " + found + ", expected " + expected);
  }

  /** A refusal because the operating system refused. */
  static CheckpointException failure(Path file, String expected, IOException cause) {
    return new CheckpointException(
        file + ": found " + reason(cause) + ", expected " + expected, cause);
  }

  /** A refusal because mapped data is gone, which the JVM reports as an internal error. */
  static CheckpointException unmapped(Path file, String tensor, long offset, InternalError fault) {
    CheckpointException refusal =
        refusal(
            file,
            tensor,
            "no data at its byte " + offset,
            "a mapped file that keeps its size while it is read");
    refusal.initCause(fault);
    return refusal;
  }

  private static String reason(IOException cause) {
    return switch (cause) {
      case NoSuchFileException missing -> "no such file";
      case AccessDeniedException denied -> "a file without permission to use it";
      // The message of a FileSystemException repeats the path, which the line names already.
      case FileSystemException other when other.getReason() != null ->
          "the error '" + other.getReason() + "'";
      // Such as "No space left on device", which the system says of no file.
      default -> "the error '" + (cause.getMessage() == null ? cause : cause.getMessage()) + "'";
    };
  }

  private static String oneLine(String message) {
    StringBuilder line = new StringBuilder(Math.min(message.length(), MAX_MESSAGE_LENGTH));
    cut(message, MAX_MESSAGE_LENGTH / 2)
        .codePoints()
        .forEach(codePoint -> {
          if (isInvisible(codePoint)) {
            line.append("\\u{").append(Integer.toHexString(codePoint)).append('}');
          } else {
            line.appendCodePoint(codePoint);
          }
        });
    return cut(line.toString(), MAX_MESSAGE_LENGTH);
  }

  private static boolean isInvisible(int codePoint) {
    return switch (Character.getType(codePoint)) {
      case Character.CONTROL,
          Character.FORMAT,
          Character.SURROGATE,
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR ->
          true;
      default -> false;
    };
  }

  /** Keeps both ends: a refusal says where at its beginning and what was expected at its end. */
  private static String cut(String text, int limit) {
    if (text.length() <= limit) {
      return text;
    }
    int kept = limit - CUT.length();
    int tail = kept / 3;
    return text.substring(0, kept - tail) + CUT + text.substring(text.length() - tail);
  }
}
