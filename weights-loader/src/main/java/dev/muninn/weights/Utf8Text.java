package dev.muninn.weights;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.Reader;
import java.io.SequenceInputStream;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Strict UTF-8 that people wrote with an editor: a byte order mark at the beginning is not part of
 * the text, and UTF-16 is refused by its name.
 */
public final class Utf8Text {
  private static final int MARK_BYTES = 3;

  private Utf8Text() {}

  /** The length of the byte order mark at the beginning of some bytes: 3, or 0 without one. */
  static int markLength(byte[] bytes) {
    return bytes.length >= MARK_BYTES
            && bytes[0] == (byte) 0xEF
            && bytes[1] == (byte) 0xBB
            && bytes[2] == (byte) 0xBF
        ? MARK_BYTES
        : 0;
  }

  /** The text without its byte order mark, if it has one. */
  static String withoutMark(String text) {
    return text.startsWith("\uFEFF") ? text.substring(1) : text;
  }

  /**
   * Decodes a whole text.
   *
   * @param source what it is from, for messages
   * @throws IOException in one line, if it is not UTF-8
   */
  public static String decode(String source, byte[] bytes) throws IOException {
    try (Reader reader = reader(source, new ByteArrayInputStream(bytes))) {
      return reader.readAllAsString();
    } catch (CharacterCodingException e) {
      throw notUtf8(source, e);
    }
  }

  /**
   * A reader of a text. It throws {@link CharacterCodingException} at bytes that are not UTF-8;
   * {@link #notUtf8} makes a line of it.
   *
   * @param source what the text is from, for messages
   * @throws IOException in one line, if the text is UTF-16 or cannot be read
   */
  public static Reader reader(String source, InputStream stream) throws IOException {
    byte[] first = begin(stream);
    if (first.length >= 2) {
      int pair = (first[0] & 0xFF) << Byte.SIZE | first[1] & 0xFF;
      if (pair == 0xFEFF || pair == 0xFFFE) {
        throw new IOException(source + " is UTF-16 text, expected UTF-8");
      }
      if ((first[0] == 0) != (first[1] == 0)) {
        throw new IOException(source + " is UTF-16 or binary, expected UTF-8 text");
      }
    }
    int mark = markLength(first);
    InputStream rest =
        new SequenceInputStream(new ByteArrayInputStream(first, mark, first.length - mark), stream);
    return new InputStreamReader(rest, StandardCharsets.UTF_8.newDecoder());
  }

  /** As few bytes as tell: someone who types into a pipe waits for the answer to each line. */
  private static byte[] begin(InputStream stream) throws IOException {
    byte[] first = stream.readNBytes(1);
    boolean mark = first.length == 1 && (first[0] & 0xFF) >= 0xEF;
    int more = mark ? MARK_BYTES - 1 : Math.min(1, stream.available());
    byte[] rest = first.length == 1 ? stream.readNBytes(more) : first;
    byte[] all = Arrays.copyOf(first, first.length + rest.length);
    System.arraycopy(rest, 0, all, first.length, rest.length);
    return all;
  }

  /** The message for a text that turned out not to be UTF-8. */
  public static IOException notUtf8(String source, CharacterCodingException cause) {
    return new IOException(source + " is not UTF-8 text", cause);
  }
}
