package dev.muninn.weights;

import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Strict reader of JSONL: one JSON object a line, by the rules of {@link JsonFile}. */
public final class JsonLines {
  /** The longest file or stream that is read. */
  public static final int MOST_BYTES = 128 << 20;

  private static final int MOST_LINES = 1_000_000;

  private JsonLines() {}

  /**
   * A line that is not blank.
   *
   * @param where the file and the line's number from 1, for messages
   */
  public record Line(String where, Map<String, Object> object) {}

  /**
   * Reads a file; {@link #read(String, InputStream, String)} says how.
   *
   * @param what the objects, for a message that there are none
   */
  public static List<Line> read(Path file, String what) throws IOException {
    byte[] contents = InputFile.read(file, MOST_BYTES, what);
    return read(file.toString(), new ByteArrayInputStream(contents), what);
  }

  /**
   * Reads all lines of a stream.
   *
   * @param name of the stream, for messages
   * @param what the objects, for a message that there are none
   * @throws IOException in one line, if the text is not UTF-8, has more than {@value #MOST_BYTES}
   *     bytes or a million objects, a line is no JSON object, or there is none; it names the line
   */
  public static List<Line> read(String name, InputStream stream, String what) throws IOException {
    List<Line> lines = new ArrayList<>();
    InputStream limited = InputFile.limited(name, stream, MOST_BYTES, what);
    BufferedReader reader = new BufferedReader(Utf8Text.reader(name, limited));
    int number = 0;
    try {
      for (String text = reader.readLine(); text != null; text = reader.readLine()) {
        number++;
        if (!text.isBlank()) {
          String where = name + ", line " + number;
          if (lines.size() == MOST_LINES) {
            throw new IOException(where + ": expected at most " + MOST_LINES + " " + what);
          }
          lines.add(new Line(where, JsonFile.readObject(where, text)));
        }
      }
    } catch (CharacterCodingException e) {
      throw Utf8Text.notUtf8(name, e);
    } catch (CheckpointException e) {
      throw new IOException(e.getMessage(), e);
    }
    if (lines.isEmpty()) {
      throw new IOException(name + " has no " + what + "; expected one JSON object a line");
    }
    return lines;
  }
}
