package dev.muninn.cli.serve;

import static dev.muninn.cli.serve.ServerRun.object;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.muninn.cli.Programs;
import dev.muninn.decode.DecodingOptions;
import dev.muninn.decode.ExitCriteria;
import dev.muninn.decode.ExitOptions;
import dev.muninn.serve.GenerationRequest;
import dev.muninn.serve.GenerationResult;
import dev.muninn.text.ChatMessage;
import dev.muninn.text.Prompt;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The page in a browser: wide and narrow, light and dark, all by keyboard. */
@Timeout(value = 15, unit = TimeUnit.MINUTES)
class PageTest {
  private static final int TOKENS = 40;

  @Test
  void aConversation() throws IOException, InterruptedException {
    Path browser = Programs.chromium().orElse(null);
    assumeTrue(browser != null, "not run: found no Chromium");
    Path pictures = Files.createDirectories(NodeClient.target().resolve("page-pictures"));
    try (ServerRun run = ServerRun.open(2, 4)) {
      Map<String, Object> got =
          NodeClient.run(
              "page.mjs", run.uri("/").toString(), browser.toString(), pictures.toString());
      GenerationResult expected =
          run.model.generate(
              GenerationRequest.builder(Prompt.chat(List.of(ChatMessage.user("47+8="))))
                  .maxTokens(TOKENS)
                  .recurrence(10)
                  .ignoreEndOfSequence(true)
                  .decoding(
                      DecodingOptions.defaults().withExit(ExitOptions.of(ExitCriteria.parse("kl"))))
                  .build());
      List<?> visits = (List<?>) got.get("visits");
      assertEquals(4, visits.size());
      for (Object visit : visits) {
        check(object(visit), expected);
      }
    }
  }

  private static void check(Map<String, Object> visit, GenerationResult expected) {
    String where = visit.get("width") + " " + visit.get("colors") + ": ";
    assertEquals("raven-tiny, usually 8 recurrences a token", visit.get("about"));
    // What was chosen is shown and asked for.
    assertEquals("10", visit.get("depth"));
    assertEquals("10", visit.get("depthShown"));
    assertEquals("kl", visit.get("exit"));
    Map<String, Object> asked = object(((List<?>) visit.get("asked")).getFirst());
    assertEquals(10L, asked.get("recurrence"));
    assertEquals("kl", asked.get("exit"));
    assertEquals(List.of(Map.of("role", "user", "content", "47+8=")), asked.get("messages"));
    // The answer grew from nothing, in more than a step or two, and is the model's.
    List<?> growth = (List<?>) visit.get("growth");
    assertTrue(growth.stream().distinct().count() > 3, where + growth);
    assertEquals(expected.text().orElseThrow(), visit.get("answer"), where);
    String note = (String) visit.get("note");
    assertTrue(
        note.matches("40 tokens, [0-9.]+ tokens/s, [0-9.]+ recurrences a token"), where + note);
    assertEquals("text", visit.get("focused"));
    // A shade for each number of recurrences, on which the text can be read.
    assertTrue(((List<?>) visit.get("shades")).size() > 1, where + visit.get("shades"));
    double contrast = ((Number) visit.get("contrast")).doubleValue();
    assertTrue(contrast >= 4.5, where + contrast + " " + visit.get("faintest"));
    assertEquals("stopped", visit.get("stopped"), where);
    assertEquals(
        "recurrence: expected a whole number from 1 to 256, not 0", visit.get("refused"), where);
    assertTrue(((Number) visit.get("overflow")).intValue() <= 0, where + visit.get("overflow"));
    assertEquals(List.of(), visit.get("errors"), where);
    assertEquals(List.of(), visit.get("otherHosts"), where);
    assertEquals(0L, visit.get("messagesLeft"), where);
  }
}
