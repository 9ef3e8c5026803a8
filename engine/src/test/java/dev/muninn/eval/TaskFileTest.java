package dev.muninn.eval;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.text.Prompt;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TaskFileTest {
  private static final String CHOICE =
      "{\"id\":\"a\",\"prompt\":\"Q:\",\"choices\":[\" x\",\" yy\"],\"answer\":1}";

  @TempDir private Path temporary;

  private Task read(String... lines) throws IOException {
    Path file = temporary.resolve("task.jsonl");
    Files.writeString(file, String.join("\n", lines) + "\n");
    return TaskFile.read(file);
  }

  @Test
  void multipleChoice() throws IOException {
    Task task = read(CHOICE, "", "{\"prompt\":\"\",\"choices\":[\"1\",\"2\",\"3\"],\"answer\":0}");
    assertEquals("task", task.name());
    Problem.Choice first = assertInstanceOf(Problem.Choice.class, task.problems().getFirst());
    assertEquals("a", first.id());
    assertEquals(1, first.answer());
    assertEquals(Prompt.text("Q: yy"), first.solved());
    assertEquals(1, first.length(0));
    assertEquals(2, first.length(1));
    assertEquals("#2", task.problems().getLast().id());
    assertTrue(task.problems().getLast().where().endsWith("task.jsonl, line 3"));
  }

  @Test
  void tokens() throws IOException {
    Task task = read("{\"prompt_tokens\":[1,2],\"choices_tokens\":[[3],[4,5]],\"answer\":1}");
    Problem.Choice choice = assertInstanceOf(Problem.Choice.class, task.problems().getFirst());
    assertEquals(Prompt.tokens(1, 2, 4, 5), choice.solved());
    assertEquals(2, choice.length(1));
    assertEquals(
        Prompt.tokens(7, 8), read("{\"text_tokens\":[7,8]}").problems().getFirst().question());
  }

  @Test
  void exactMatch() throws IOException {
    Task task =
        read(
            "{\"prompt\":\"Q:\",\"answer\":[\"18\",\"18.0\"],\"example\":\" 9*2 = 18\","
                + "\"pattern\":\"= *([0-9.,]+)\",\"compare\":\"number\",\"stop\":[\"Q:\"],"
                + "\"max_tokens\":9}",
            "{\"prompt\":\"Q:\",\"answer\":\"x\"}");
    Problem.Answer first = assertInstanceOf(Problem.Answer.class, task.problems().getFirst());
    assertEquals(Prompt.text("Q: 9*2 = 18"), first.solved());
    assertEquals("1800", first.read("= 3, or = 1,800.00"));
    assertEquals("", first.read("18"));
    assertTrue(first.isRight(first.read("it is = 18.000")));
    assertEquals(List.of("Q:"), first.stops());
    assertEquals(9, first.maxTokens().orElseThrow());
    Problem.Answer second = assertInstanceOf(Problem.Answer.class, task.problems().getLast());
    assertEquals(Prompt.text("Q:x"), second.solved());
    assertTrue(second.isRight(second.read(" x\n")));
    assertTrue(!second.isRight(second.read("xx")));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{\"prompt\":\"Q\",\"choices\":[\"x\"],\"answer\":0} | choices needs at least 2 entries",
        "{\"prompt\":\"Q\",\"choices\":[\"x\",\"y\"],\"answer\":2} | answer 2 is the index of no",
        "{\"prompt\":\"Q\",\"choices\":[\"x\",\"y\"],\"answer\":-1} | answer -1 is the index of no",
        "{\"prompt\":\"Q\",\"choices\":[\"x\",\"y\"],\"answer\":4294967296} | is the index of no",
        "{\"prompt\":\"Q\",\"choices\":[\"x\",\"y\"],\"answer\":\"x\"} | from 0, not \"x\"",
        "{\"prompt\":\"Q\",\"choices\":[\"x\",\"y\"]} | answer must be the index",
        "{\"prompt\":\"Q\",\"choices\":[\"x\",\"\"],\"answer\":0} | choice 1 is empty",
        "{\"prompt\":\"Q\",\"choices\":[\"x\",null],\"answer\":0} | choices[1] must be a text, not null",
        "{\"prompt\":\"Q\",\"choices\":\"xy\",\"answer\":0} | a list of texts",
        "{\"prompt\":\"Q\",\"choices_tokens\":[[1],[2]],\"answer\":0} | prompt needs choices",
        "{\"choices\":[\"x\",\"y\"],\"answer\":0} | expected one of prompt and prompt_tokens",
        "{\"prompt_tokens\":[],\"choices_tokens\":[[1],[2]],\"answer\":0} | at least one token",
        "{\"prompt_tokens\":[1.5],\"choices_tokens\":[[1],[2]],\"answer\":0} | prompt_tokens[0] must be an integer, not 1.5",
        "{\"prompt\":\"Q\",\"choices\":[\"x\",\"y\"],\"answer\":0,\"label\":1} | unknown field \"label\"",
        "{\"prompt\":\"Q\",\"answer\":18} | answer must be a text, not 18",
        "{\"prompt\":\"Q\",\"answer\":[]} | answer needs at least 1 entry",
        "{\"prompt\":\"Q\",\"answer\":\"x\",\"pattern\":\"(\"} | pattern \"(\" is not a regular expression: Unclosed group at its character 1",
        "{\"prompt\":\"Q\",\"answer\":\"x\",\"compare\":\"number\"} | the answer 'x' is not a number",
        "{\"prompt\":\"Q\",\"answer\":\"x\",\"compare\":\"loosely\"} | compare must be \"text\" or \"number\", not \"loosely\"",
        "{\"prompt\":\"Q\",\"answer\":\"x\",\"max_tokens\":0} | max_tokens must be a whole number of at least 1, not 0",
        "{\"prompt\":\"Q\",\"answer\":\"x\",\"stop\":[\"\"]} | a stop text must not be empty",
        "{\"answer\":\"x\"} | prompt is missing",
        "{\"prompt\":\"Q\"} | expected choices and answer",
        "{\"text\":\"T\",\"text_tokens\":[1]} | expected one of text and text_tokens",
        "{\"id\":1.5,\"text\":\"T\"} | id must be a text or an integer, not 1.5",
        "{\"id\":\"a\",\"prompt\":\"Q\",\"choices\":[\"x\",\"y\"],\"answer\":0} | is also that of",
        "{\"text\":\"T\"} | a text for perplexity, but",
        "[1] | one JSON object",
        "{\"text\": | line 2",
        "no json | line 2",
      })
  void refusalsNameTheLine(String line, String message) {
    IOException refusal = assertThrows(IOException.class, () -> read(CHOICE, line));
    assertTrue(
        refusal.getMessage().contains("task.jsonl, line 2")
            && refusal.getMessage().contains(message),
        refusal.getMessage());
    assertEquals(1, refusal.getMessage().lines().count());
  }

  @Test
  void emptyFiles() {
    for (String content : List.of("", "\n \n")) {
      IOException refusal = assertThrows(IOException.class, () -> read(content));
      assertTrue(refusal.getMessage().contains("has no problems"), refusal.getMessage());
    }
  }

  @Test
  void theHashIsTheFiles() throws IOException {
    String hash = read(CHOICE).hash();
    assertEquals(hash, read(CHOICE).hash());
    assertTrue(!hash.equals(read(CHOICE, CHOICE.replace("\"a\"", "\"b\"")).hash()));
  }
}
