package dev.muninn.cli.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.text.ChatMessage;
import dev.muninn.text.Prompt;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PromptLinesTest {
  private static Prompt read(String line) throws IOException {
    return PromptLines.read(
            "-", new ByteArrayInputStream((line + "\n").getBytes(StandardCharsets.UTF_8)))
        .getFirst()
        .prompt();
  }

  private static String message(String content) {
    return "{\"messages\":[{\"role\":\"user\",\"content\":" + content + "}]}";
  }

  @Test
  void textPartsOfAMessageAreOneText() throws IOException {
    Prompt expected = Prompt.chat(List.of(ChatMessage.user("What is it?")));
    assertEquals(expected, read(message("\"What is it?\"")));
    assertEquals(
        expected,
        read(
            message(
                "[{\"type\":\"text\",\"text\":\"What \"},{\"type\":\"text\",\"text\":\"is it?\"}]")));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "[{\"type\":\"image_url\",\"image_url\":{}}] | a content part of type \"image_url\"",
        "[{\"text\":\"a\"}] | a content part without a type",
        "[\"a\"] | a content part without a type",
        "{\"type\":\"text\",\"text\":\"a\"} | must be a text or a list of text parts",
        "null | must be a text or a list of text parts",
        "\"a\",\"tool_calls\":[] | a message has \"tool_calls\"; expected only role and content",
      })
  void otherContentIsRefusedByName(String content, String expected) {
    IOException refusal = assertThrows(IOException.class, () -> read(message(content)));
    assertTrue(refusal.getMessage().contains(expected), refusal.getMessage());
    assertTrue(refusal.getMessage().startsWith("standard input, line 1: "), refusal.getMessage());
  }
}
