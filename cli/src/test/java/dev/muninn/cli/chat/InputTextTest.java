package dev.muninn.cli.chat;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class InputTextTest {

  /** Lines with N for a line end, whether more belong to them, and the message they make. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          hello | false | hello
          a\\ | true | a
          a\\Nb | false | aNb
          a\\Nb\\ | true | aNb
          \"""\""" | false | ``
          \""" | true | ``
          \"""a | true | a
          \"""aNb\""" | false | aNb
          \"""Na "b" cN\""" | false | a "b" c
          \"""a\\Nb | true | a\\Nb
          say \""" | false | say \"""
          \"\"\"\" | true | "
          """)
  void linesMakeMessages(String lines, boolean open, String message) {
    String text = lines.replace('N', '\n');
    assertEquals(open, InputText.isOpen(text));
    assertEquals(message.replace('N', '\n'), InputText.message(text));
  }

  /** A pipe's lines are looked at one by one, not all of them again with each. */
  @ParameterizedTest
  @ValueSource(
      strings = {"a\\", "a\\\nb", "a\\\nb\\", "\"\"\"\nb", "\"\"\"\n\"\"\"", "\"\"\"a\n \"\"\" "})
  void theNextLineSaysWhetherAMessageStaysOpen(String lines) {
    String first = lines.lines().findFirst().orElseThrow();
    for (String next : new String[] {"", "x", "x\\", "\"\"\"", "x\"\"\" ", "\""}) {
      String all = first + "\n" + next;
      assertEquals(InputText.isOpen(all), InputText.staysOpen(first, next), all);
    }
  }
}
