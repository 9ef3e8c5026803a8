package dev.muninn.cli.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.cli.CommandRun;
import dev.muninn.cli.process.ExitCode;
import dev.muninn.weights.JsonFile;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GenerateCommandTest {
  private static final String TINY = CommandRun.RAVEN_TINY.toString();
  private static final String UNTIED = CommandRun.UNTIED.toString();

  @TempDir private Path temporary;

  private static String text(CommandRun run) {
    assertEquals("", run.err());
    assertEquals(ExitCode.OK, run.exitCode());
    return run.out();
  }

  @Test
  void answersOnOneLine() {
    assertEquals("55\n", text(CommandRun.of("generate", "-m", TINY, "47+8=")));
  }

  @Test
  void readsThePromptFromWhereItIs() throws IOException {
    Path file = temporary.resolve("prompt.txt");
    Files.writeString(file, "47+8=\r\n");
    assertEquals("55\n", text(CommandRun.of("generate", "-m", TINY, "-p", "47+8=")));
    assertEquals(
        "55\n", text(CommandRun.of("generate", "-m", TINY, "--prompt-file", file.toString())));
    assertEquals("55\n", text(CommandRun.withInput("47+8=\n", "generate", "-m", TINY, "-")));
    assertEquals(
        "55\n", text(CommandRun.withInput("47+8=", "generate", "-m", TINY, "--prompt-file", "-")));
    assertEquals(
        "55\n",
        text(CommandRun.of("generate", "-m", TINY, "--prompt-tokens", "256, 52,55,43,56,61")));
  }

  @Test
  void leavesOutOnlyTheLastLineEndOfInput() throws IOException {
    CommandRun run = CommandRun.withInput("1\n\n", "generate", "-m", TINY, "--json", "-");
    assertEquals(List.of(256L, 49L, 10L), run.json().get("prompt_tokens"));
  }

  @Test
  void takesPromptsThatLookLikeSomethingElse() throws IOException {
    for (String prompt : List.of("-n", "-", "@prompt", "${sys:user.home}", "é", "")) {
      CommandRun run =
          CommandRun.of("generate", "-m", TINY, "-n", "1", "--json", "--prompt", prompt);
      List<Long> expected = new ArrayList<>(List.of(256L));
      for (byte unit : prompt.getBytes(StandardCharsets.UTF_8)) {
        expected.add(unit & 0xFFL);
      }
      assertEquals(expected, run.json().get("prompt_tokens"), prompt);
    }
  }

  @Test
  void jsonHasAllKeys() throws IOException {
    Map<String, Object> json =
        CommandRun.of("generate", "-m", TINY, "-r", "4", "--json", "47+8=").json();
    assertEquals(
        List.of(
            "prompt_tokens",
            "tokens",
            "text",
            "recurrences",
            "finish_reason",
            "backend",
            "device",
            "timings",
            "statistics"),
        List.copyOf(json.keySet()));
    assertEquals(List.of(256L, 52L, 55L, 43L, 56L, 61L), json.get("prompt_tokens"));
    assertEquals(List.of(53L, 53L, 257L), json.get("tokens"));
    assertEquals("55", json.get("text"));
    assertEquals(List.of(4L, 4L, 4L), json.get("recurrences"));
    assertEquals("stop", json.get("finish_reason"));
    Map<?, ?> timings = assertInstanceOf(Map.class, json.get("timings"));
    assertEquals(
        List.of(
            "load_ms",
            "prefill_ms",
            "prefill_tokens_per_second",
            "decode_ms",
            "decode_tokens_per_second"),
        List.copyOf(timings.keySet()));
    timings.forEach((key, value) -> assertTrue((double) value > 0, key + " " + value));
  }

  @Test
  void modelWithoutTokenizerTakesAndGivesTokens() throws IOException {
    // The first values of "greedy" at r = 4 in the fixture's expected.json.
    String[] arguments = {
      "generate",
      "-m",
      UNTIED,
      "--prompt-tokens",
      "5,40,126,22,80,69,44,37,95,33,88",
      "--state",
      "zero",
      "-r",
      "4",
      "-n",
      "5"
    };
    assertEquals("84 34 74 98 126\n", text(CommandRun.of(arguments)));
    Map<String, Object> json = CommandRun.of(with(arguments, "--json")).json();
    assertEquals(List.of(84L, 34L, 74L, 98L, 126L), json.get("tokens"));
    assertTrue(json.containsKey("text"));
    assertNull(json.get("text"));
    assertEquals("length", json.get("finish_reason"));
  }

  @Test
  void stopsBeforeAStopText() throws IOException {
    Map<String, Object> json =
        CommandRun.of("generate", "-m", TINY, "--stop", "x", "--stop", "2", "--json", "12+30=")
            .json();
    assertEquals("4", json.get("text"));
    assertEquals("stop", json.get("finish_reason"));
  }

  @Test
  void sameSeedSameText() {
    String[] arguments = {
      "generate", "-m", TINY, "-t", "2", "-n", "40", "--ignore-eos", "--top-k", "50", "-s", "7", "1"
    };
    String first = text(CommandRun.of(arguments));
    assertEquals(first, text(CommandRun.of(arguments)));
    arguments[arguments.length - 2] = "8";
    assertTrue(!first.equals(text(CommandRun.of(arguments))), first);
  }

  @Test
  void chatIsLaidOutWithTheSystemMessageFirst() throws IOException {
    Map<String, Object> json =
        CommandRun.of("generate", "-m", TINY, "-n", "1", "--chat", "--system", "S", "--json", "U")
            .json();
    List<?> tokens = assertInstanceOf(List.class, json.get("prompt_tokens"));
    // begin_text, then a header each of system, user and Huginn.
    assertEquals(256L, tokens.getFirst());
    assertEquals(3, tokens.stream().filter(token -> token.equals(258L)).count());
    assertTrue(tokens.indexOf((long) 'S') < tokens.indexOf((long) 'U'), tokens.toString());
  }

  @Test
  void statisticsGoToStandardError() {
    CommandRun run = CommandRun.of("generate", "-m", TINY, "--threads", "1", "--stats", "47+8=");
    assertEquals("55\n", run.out());
    assertEquals(
        List.of("load", "prefill", "decode", "recurrences", "core", "mapped", "KV", "backend"),
        run.err().lines().map(line -> line.split(" ")[0]).toList());
  }

  /** Prompts share their calls and their time: neither is the sum of what each of them had. */
  @Test
  void statisticsOfManyPromptsAreOfAllTogether() {
    String prompts = "{\"prompt\":\"47+8=\"}\n{\"prompt\":\"1+1=\"}\n";
    CommandRun run =
        CommandRun.withInput(
            prompts,
            "generate",
            "-m",
            TINY,
            "--threads",
            "1",
            "-r",
            "4",
            "--stats",
            "--prompts",
            "-");
    List<String> lines = run.err().lines().map(line -> line.replaceAll(" +", " ")).toList();
    assertEquals("prompts 2 prompts", lines.get(1));
    assertTrue(
        lines.get(2).matches("together \\d+ tokens in [\\d.]+ ms, [\\d.]+ tokens/s"), run.err());
    assertTrue(lines.get(4).endsWith("tokens/s for each prompt"), run.err());
    long rows =
        run.out()
            .lines()
            .map(line -> JsonFile.readObject("line", line))
            .mapToLong(result -> (Long) ((Map<?, ?>) result.get("statistics")).get("core_rows"))
            .sum();
    assertTrue(lines.contains("core " + rows + " rows through the recurrent block"), run.err());
  }

  /** Blank lines count, an id may be null, and some editors begin a file with a mark. */
  @Test
  void promptsAreNamedByTheirLines() throws IOException {
    String prompts = "\uFEFF{\"id\":null,\"prompt\":\"1+1=\"}\n\n\n{\"prompt_tokens\":[999]}\n";
    String[] command = {"generate", "-m", TINY, "--prompts", "-"};
    CommandRun.withInput(prompts, command)
        .assertFails(
            ExitCode.USAGE,
            "standard input, line 4: prompt token 999 is outside the vocabulary, 0 to 271");
    CommandRun run = CommandRun.withInput(prompts.lines().findFirst().orElseThrow(), command);
    assertEquals("", run.err());
    assertEquals("2", run.json().get("text"));
  }

  /**
   * So that one prompt may have many answers; which one an id has, does not depend on the others.
   */
  @Test
  void linesWithIdsDrawByThem() {
    StringBuilder prompts = new StringBuilder();
    for (int i = 0; i < 8; i++) {
      prompts.append("{\"id\":" + i + ",\"prompt\":\"47+8=\"}\n");
    }
    String[] command = {
      "generate", "-m", TINY, "-r", "2", "-n", "4", "-t", "1.5", "--ignore-eos", "--prompts", "-"
    };
    List<Object> texts = texts(prompts.toString(), command);
    assertTrue(texts.stream().distinct().count() > 1, texts.toString());
    String last = prompts.toString().lines().toList().getLast();
    assertEquals(texts.subList(7, 8), texts(last, command));
    assertEquals(texts.subList(7, 8), texts(last.replace("7,", "\"7\","), command));
    List<Object> same = texts("{\"prompt\":\"47+8=\"}\n".repeat(3), command);
    assertEquals(1, same.stream().distinct().count(), same.toString());
  }

  private static List<Object> texts(String prompts, String... command) {
    return CommandRun.withInput(prompts, command)
        .out()
        .lines()
        .map(line -> JsonFile.readObject("line", line).get("text"))
        .toList();
  }

  @Test
  void anEmptyModelPathIsNamed() {
    CommandRun.of("generate", "-m", "", "x")
        .assertFails(ExitCode.USAGE, "the model's path is empty");
  }

  @Test
  void outputThatNobodyReadsEndsTheGenerationQuietly() {
    CommandRun run = generateInto("Broken pipe");
    assertEquals(ExitCode.FAILED, run.exitCode());
    assertEquals("", run.err());
  }

  @Test
  void outputThatCannotBeWrittenIsOneLine() {
    generateInto("No space left on device").assertFails(ExitCode.FAILED, "No space left on device");
  }

  private static CommandRun generateInto(String failure) {
    OutputStream out =
        new OutputStream() {
          @Override
          public void write(int unit) throws IOException {
            throw new IOException(failure);
          }

          @Override
          public String toString() {
            return "";
          }
        };
    return CommandRun.run(new byte[0], out, Map.of(), "generate", "-m", TINY, "47+8=");
  }

  private static String[] with(String[] arguments, String last) {
    List<String> all = new ArrayList<>(List.of(arguments));
    all.add(last);
    return all.toArray(String[]::new);
  }
}
