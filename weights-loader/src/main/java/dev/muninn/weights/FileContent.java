package dev.muninn.weights;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;

/** Recognizes, by its first bytes, content that is often found in place of a model's file. */
final class FileContent {
  private static final int BYTES = 512;
  private static final int SHOWN = 40;

  /** The second is what the first was called in its beginnings. */
  private static final List<String> LFS =
      List.of(
          "version https://git-lfs.github.com/spec/", "version https://hawser.github.com/spec/");

  private static final int TAR_MARK = 257;

  /** What the first bytes of a binary format are, in hexadecimal, and what it is called. */
  private record Magic(byte[] bytes, String name) {
    Magic(String hexadecimal, String name) {
      this(HexFormat.of().parseHex(hexadecimal), name);
    }
  }

  private static final List<Magic> MAGICS =
      List.of(
          new Magic("504b0304", "a ZIP archive, as PyTorch writes"),
          new Magic("504b0506", "an empty ZIP archive"),
          new Magic("1f8b", "gzip-compressed data"),
          new Magic("8002", "a Python pickle, as PyTorch writes"),
          new Magic("8003", "a Python pickle"),
          new Magic("8004", "a Python pickle"),
          new Magic("8005", "a Python pickle"),
          new Magic("47475546", "a GGUF file, as llama.cpp reads"),
          new Magic("894844460d0a1a0a", "an HDF5 file, as Keras writes"),
          new Magic("934e554d5059", "a NumPy file"),
          new Magic("28b52ffd", "Zstandard-compressed data"),
          new Magic("fd377a585a00", "xz-compressed data"),
          new Magic("425a68", "bzip2-compressed data"),
          new Magic("377abcaf271c", "a 7-Zip archive"),
          new Magic("25504446", "a PDF document"),
          new Magic("25215053", "a PostScript document"),
          new Magic("7b5c727466", "an RTF document"),
          new Magic("d0cf11e0a1b1", "a document of an office program"),
          new Magic("50415231", "a Parquet file"),
          new Magic("53514c69746520", "an SQLite database"),
          new Magic("ffd8ff", "a JPEG image"),
          new Magic("89504e47", "a PNG image"),
          new Magic("7f454c46", "an ELF binary"),
          new Magic("0000feff", "UTF-32 text"),
          new Magic("fffe0000", "UTF-32 text"),
          new Magic("fffe", "UTF-16 text"),
          new Magic("feff", "UTF-16 text"));

  private static final Pattern HTML =
      Pattern.compile("<(!doctype html|html|head|body|title|meta|script|style)\\b");

  private static final Pattern COMMENT = Pattern.compile("^<!--.*?-->\\s*", Pattern.DOTALL);

  private FileContent() {}

  /** The first bytes of a file, at most {@value #BYTES}. */
  static byte[] begin(Path file, FileChannel channel) {
    ByteBuffer first = ByteBuffer.allocate(BYTES);
    try {
      int count = 0;
      while (first.hasRemaining() && count >= 0) {
        count = channel.read(first, first.position());
      }
    } catch (IOException problem) {
      throw CheckpointException.failure(file, "a readable file", problem);
    }
    byte[] bytes = new byte[first.position()];
    first.flip().get(bytes);
    return bytes;
  }

  /** Refuses a file that begins as a text, or as {@link #refuseKnown} knows. */
  static void refuseOther(Path file, byte[] begin, String expected) {
    refuseKnown(file, begin, expected);
    String text = text(begin);
    if (begin.length >= Long.BYTES && text.chars().allMatch(FileContent::isPrintable)) {
      String line = text.strip().lines().findFirst().orElse("");
      String shown = line.substring(0, Math.min(SHOWN, line.length()));
      throw CheckpointException.refusal(
          file, "a text that begins " + CheckpointException.quote(shown), expected);
    }
  }

  /** Refuses a file whose first bytes are known to be those of something else. */
  static void refuseKnown(Path file, byte[] begin, String expected) {
    if (LFS.stream().anyMatch(text(begin)::startsWith)) {
      throw CheckpointException.refusal(
          file, "a Git LFS pointer, not the file itself", expected + ": 'git lfs pull' fetches it");
    }
    Optional<String> found = describe(begin);
    if (found.isPresent()) {
      throw CheckpointException.refusal(file, found.get(), expected);
    }
  }

  /** The kind of a file that begins so; empty if that is not known. */
  private static Optional<String> describe(byte[] begin) {
    if (begin.length == 0) {
      return Optional.of("an empty file");
    }
    Optional<String> other = describeOtherThanText(begin);
    if (other.isPresent()) {
      return other;
    }
    String start = start(text(begin));
    if (start.startsWith("<?xml") || start.matches("(?s)<[a-z][a-z0-9:._-]*[\\s>].*")) {
      return Optional.of("an XML document, such as a server's message");
    }
    if (start.startsWith("{") || start.startsWith("[")) {
      return Optional.of("JSON text, such as a server's message");
    }
    return Optional.empty();
  }

  /** The kind of a file whose first bytes cannot be those of a text that is meant to be read. */
  static Optional<String> describeOtherThanText(byte[] bytes) {
    byte[] begin = Arrays.copyOf(bytes, Math.min(BYTES, bytes.length));
    for (Magic magic : MAGICS) {
      if (startsWith(begin, magic.bytes)) {
        return Optional.of(magic.name);
      }
    }
    if (begin.length >= 4 && (begin[0] == 0) != (begin[1] == 0) && isUtf16(begin)) {
      return Optional.of("UTF-16 text");
    }
    String text = text(begin);
    if (text.startsWith("ustar", TAR_MARK)) {
      return Optional.of("a tar archive");
    }
    if (begin.length == BYTES && text.chars().allMatch(c -> c == 0)) {
      return Optional.of("zeros, as an incomplete download leaves them");
    }
    if (LFS.stream().anyMatch(text::startsWith)) {
      return Optional.of("a Git LFS pointer, not the file itself");
    }
    String start = start(text);
    if (HTML.matcher(start).lookingAt()
        || start.startsWith("<?xml") && start.matches("(?s).*<(!doctype )?html.*")) {
      return Optional.of("an HTML page, such as a server's message");
    }
    return Optional.empty();
  }

  /** The first thing in a text, in small letters: behind white space and a comment of HTML. */
  private static String start(String text) {
    return COMMENT.matcher(text.stripLeading()).replaceFirst("").toLowerCase(Locale.ROOT);
  }

  private static boolean startsWith(byte[] bytes, byte[] prefix) {
    if (bytes.length < prefix.length) {
      return false;
    }
    for (int i = 0; i < prefix.length; i++) {
      if (bytes[i] != prefix[i]) {
        return false;
      }
    }
    return true;
  }

  /** Whether each second byte of a few is zero, as in Latin letters of UTF-16. */
  private static boolean isUtf16(byte[] begin) {
    int zeros = begin[0] == 0 ? 0 : 1;
    int count = Math.min(16, begin.length / 2 * 2);
    for (int i = 0; i < count; i++) {
      if ((begin[i] == 0) != (i % 2 == zeros)) {
        return false;
      }
    }
    return true;
  }

  /** Without a byte order mark. */
  private static String text(byte[] begin) {
    int from = Utf8Text.markLength(begin);
    return new String(begin, from, begin.length - from, StandardCharsets.ISO_8859_1);
  }

  private static boolean isPrintable(int character) {
    return character >= ' ' && character < 0x7F
        || character == '\n'
        || character == '\r'
        || character == '\t';
  }
}
