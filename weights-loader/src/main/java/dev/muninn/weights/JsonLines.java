package dev.muninn.weights;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.CharacterCodingException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Strict reader of JSONL: one JSON object a line, by the rules of {@link JsonFile}. */
public final class JsonLines {
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
    try (InputStream stream = Files.newInputStream(file)) {
      return read(file.toString(), stream, what);
    } catch (FileSystemException e) {
      throw e;
    } catch (IOException e) {
      if (Files.isDirectory(file)) {
        // What the system says of it does not name it.
        throw new FileSystemException(file.toString(), null, "is a directory");
      }
      throw e;
    }
  }

  /**
   * Reads all lines of a stream.
   *
   * @param name of the stream, for messages
   * @param what the objects, for a message that there are none
   * @throws IOException in one line, if the text is not UTF-8, a line is no JSON object, or there
   *     is none; it names the line
   */
  public static List<Line> read(String name, InputStream stream, String what) throws IOException {
    List<Line> lines = new ArrayList<>();
    BufferedReader reader = new BufferedReader(Utf8Text.reader(name, stream));
    int number = 0;
    try {
      for (String text = reader.readLine(); text != null; text = reader.readLine()) {
        number++;
        if (!text.isBlank()) {
          String where = name + ", line " + number;
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
