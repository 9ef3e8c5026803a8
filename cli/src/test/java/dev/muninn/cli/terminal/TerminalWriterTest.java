package dev.muninn.cli.terminal;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TerminalWriterTest {
  private static String written(String text, boolean terminal) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    StandardStreams streams =
        StandardStreams.of(
            InputStream.nullInputStream(), out, new ByteArrayOutputStream(), () -> terminal);
    streams.out().write(text);
    streams.out().write(text.toCharArray());
    for (char unit : text.toCharArray()) {
      streams.out().write(unit);
    }
    streams.out().flush();
    String all = out.toString(StandardCharsets.UTF_8);
    int length = all.length() / 3;
    assertEquals(all.substring(0, length), all.substring(length, 2 * length));
    assertEquals(all.substring(0, length), all.substring(2 * length));
    return all.substring(0, length);
  }

  /** Escape, bell, carriage return, backspace, delete, the C1 range, and what turns direction. */
  @ParameterizedTest
  @CsvSource({
    "1b, 5d",
    "07, 41",
    "0d, 41",
    "08, 41",
    "00, 41",
    "7f, 41",
    "80, 41",
    "9b, 41",
    "9f, 41",
    "202e, 41",
    "2066, 41"
  })
  void terminalSeesEscapesOfWhatWouldSteerIt(String control, String next) throws IOException {
    String text = "a" + character(control) + character(next) + "\n\tü漢";
    String shown = "a\\u" + "0".repeat(4 - control.length()) + control + character(next);
    assertEquals(shown + "\n\tü漢", written(text, true));
    assertEquals(text, written(text, false));
  }

  @Test
  void ordinaryTextIsTheSame() throws IOException {
    String text = "line\n\tü 漢 👩‍💻 \u200f\u05d0";
    assertEquals(text, written(text, true));
  }

  private static char character(String code) {
    return (char) Integer.parseInt(code, 16);
  }
}
