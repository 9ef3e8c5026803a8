package dev.muninn.cli.chat;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.cli.CommandRun;
import dev.muninn.weights.JsonFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Chats through pipes. */
class ChatCommandTest {
  private static final String TINY = CommandRun.RAVEN_TINY.toString();

  @TempDir private Path temporary;

  private static CommandRun chat(String input, String... options) {
    return CommandRun.withInput(
        input,
        Stream.concat(
                Stream.of("chat", "-m", TINY, "--threads", "1", "-n", "6"), Stream.of(options))
            .toArray(String[]::new));
  }

  private static Map<String, Object> object(String line) {
    return JsonFile.readObject("line", line);
  }

  private static long statistic(Map<String, Object> result, String name) {
    return (Long) ((Map<?, ?>) result.get("statistics")).get(name);
  }

  /** The first thing that a newcomer asks of the built-in model. */
  @ParameterizedTest
  @CsvSource({"47+8=, 55", "12+99=, 111", "7305918=, 3", "8263590417335128=, 7"})
  void theBuiltInModelAnswersInAChat(String question, String answer) {
    CommandRun run = CommandRun.withInput(question + "\n", "chat", "--threads", "1");
    assertEquals(answer + "\n", run.out(), run.err());
  }

  /** Every answer is what generate makes of the same conversation as a whole. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "-r 3",
        "-r 3 -t 1.5 -s 4 --repetition-penalty 1.3",
        "-r 4 --draft-recurrence 2 --ignore-eos",
        "-r 6 --exit latent-diff:0.3 --prefill-exit row",
        "-r 3 --system Brief. --kv-type bf16 --state zero",
      })
  void answersAsGenerateDoes(String text) throws IOException {
    String[] options = text.split(" ");
    Path saved = temporary.resolve("saved.jsonl");
    StringBuilder input = new StringBuilder();
    for (int turn = 0; turn < 4; turn++) {
      input.append("What is " + turn + "+" + turn + "?\n/save " + saved + turn + "\n");
    }
    List<String> answers = chat(input.toString(), concat(options, "--json")).out().lines().toList();
    assertEquals(4, answers.size());
    List<String> generate = new ArrayList<>();
    for (String option : options) {
      generate.add(option);
    }
    int system = generate.indexOf("--system");
    if (system >= 0) {
      generate.subList(system, system + 2).clear();
    }
    for (int turn = 0; turn < 4; turn++) {
      String line = Files.readString(Path.of(saved.toString() + turn));
      String question = line.substring(0, line.lastIndexOf(",{\"role\"")) + "]}";
      Map<String, Object> expected;
      if (text.contains("draft")) {
        // A batch knows no speculation, which gives the same tokens when greedy.
        expected = generateOne(question, "-r", "4", "--ignore-eos");
      } else {
        expected = generateOne(question, generate.toArray(String[]::new));
      }
      Map<String, Object> answer = object(answers.get(turn));
      assertEquals(expected.get("prompt_tokens"), answer.get("prompt_tokens"));
      assertEquals(expected.get("tokens"), answer.get("tokens"));
    }
  }

  private static Map<String, Object> generateOne(String line, String... options) {
    CommandRun run =
        CommandRun.withInput(
            line + "\n",
            concat(options, "generate", "-m", TINY, "--threads", "1", "-n", "6", "--prompts", "-"));
    assertEquals(0, run.exitCode(), run.err());
    return object(run.out().strip());
  }

  private static String[] concat(String[] options, String... others) {
    return Stream.concat(Stream.of(others), Stream.of(options)).toArray(String[]::new);
  }

  @Test
  void computesOnlyWhatIsNew() {
    List<String> lines =
        chat("one\ntwo\nthree\nfour\n", "--json", "-r", "2").out().lines().toList();
    long promptBefore = 0;
    for (String line : lines) {
      Map<String, Object> answer = object(line);
      long prompt = ((List<?>) answer.get("prompt_tokens")).size();
      long chosen = ((List<?>) answer.get("tokens")).size();
      long rows = statistic(answer, "core_rows") / 2;
      assertTrue(rows <= prompt - promptBefore + chosen - 1, rows + " rows for " + line);
      promptBefore = prompt;
    }
    assertTrue(promptBefore > 80, "" + promptBefore);
  }

  @Test
  void commandsAreObeyed() {
    CommandRun run =
        chat("/r 2\nhello\n/stats\n/exit kl\n/exit\n/system Be.\n/system\n/help\n/r\n/reset\n");
    assertEquals(0, run.exitCode(), run.err());
    for (String part :
        List.of(
            "r = 2",
            "recurrences  2.00 a forward",
            "prompt tokens kept",
            "exit kl\n",
            "exit kl; /quit ends",
            "system message set",
            "no system message",
            "/save FILE",
            "forgot the conversation")) {
      assertTrue(run.err().contains(part), part + " in " + run.err());
    }
    assertFalse((run.out() + run.err()).contains("\u001b"));
  }

  @Test
  void quitEndsAndNothingIsReadBehindIt() {
    CommandRun run = chat("/quit\n/foo\n");
    assertEquals(0, run.exitCode());
    assertEquals("", run.out() + run.err());
  }

  @ParameterizedTest
  @CsvSource({
    "/foo, no command /foo",
    "/r 0, expected a whole number of at least 1",
    "/r many, expected a whole number of at least 1",
    "/exit nope, nope",
    "/save, /save needs a file",
    "/save x, there is nothing to save",
    "/stats, there is no answer yet"
  })
  void mistakesAreOneLineAndTheChatGoesOn(String line, String message) {
    CommandRun run = chat(line + "\nhello\n");
    assertEquals(1, run.exitCode());
    String first = run.err().lines().findFirst().orElse("");
    assertTrue(first.startsWith("muninn: ") && first.contains(message), run.err());
    assertEquals(chat("hello\n").out(), run.out());
  }

  @Test
  void fileThatCannotBeWrittenIsOneLine() {
    CommandRun run = chat("hello\n/save " + temporary.resolve("no/where") + "\n");
    assertEquals(1, run.exitCode());
    assertTrue(run.err().contains("cannot write"), run.err());
    assertFalse(Files.exists(temporary.resolve("no")));
  }

  @Test
  void messageLongerThanTheContextIsOneLine() {
    CommandRun run = chat("x".repeat(300) + "\nhello\n");
    assertEquals(1, run.exitCode());
    assertTrue(run.err().contains("more than the context of 256"), run.err());
    assertEquals(chat("hello\n").out(), run.out());
  }

  @Test
  void slashesLinesAndSettingsReachTheModel() throws IOException {
    Path file = temporary.resolve("c.jsonl");
    chat("//r 2\nfirst\\\nsecond\n\"\"\"\nthird\n\nfourth\n\"\"\"\n/save " + file + "\n");
    String saved = Files.readString(file);
    assertTrue(saved.contains("\"/r 2\""), saved);
    assertTrue(saved.contains("\"first\\nsecond\""), saved);
    assertTrue(saved.contains("\"third\\n\\nfourth\""), saved);
    CommandRun generated =
        CommandRun.of("generate", "-m", TINY, "--prompts", file.toString(), "-n", "2");
    assertEquals(0, generated.exitCode(), generated.err());
  }

  @Test
  void longChatForgetsAndSaysSo() {
    CommandRun run = chat("message\n".repeat(20), "-r", "1");
    assertEquals(0, run.exitCode(), run.err());
    assertTrue(run.err().contains("dropped the oldest"), run.err());
    assertEquals(20, run.out().lines().count());
  }

  @Test
  void modelWithoutTokenizerIsOneLine() {
    CommandRun.withInput("x\n", "chat", "-m", CommandRun.UNTIED.toString())
        .assertFails(2, "a conversation needs a tokenizer");
  }

  @Test
  void inputThatIsNoTextIsOneLine() {
    CommandRun run =
        CommandRun.run(
            new byte[] {(byte) 0xff, '\n'},
            new java.io.ByteArrayOutputStream(),
            Map.of(),
            "chat",
            "-m",
            TINY);
    run.assertFails(1, "not UTF-8");
  }
}
