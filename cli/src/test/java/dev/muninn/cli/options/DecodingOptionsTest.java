package dev.muninn.cli.options;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.cli.CommandRun;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Exits, cache policies, strategies and batches on the command line. */
class DecodingOptionsTest {

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          --exit latent-diff
          --exit kl:1e-4 --min-recurrence 2 --exit-every 2
          --exit kl --no-exit-in-prefill
          --exit latent-diff:0.01 --prefill-exit row
          --kv budget:2
          --kv anchor:3 --kv-type f32
          --draft-recurrence 2 --lookahead 3
          --parallel --inner-recurrence 4 --headway 1
          """)
  void everyWayAnswersTheSum(String options) throws Exception {
    CommandRun run = CommandRun.of(("generate -r 8 " + options + " 47+8=").split(" "));
    assertEquals(0, run.exitCode(), run.err());
    assertEquals("55\n", run.out());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          --exit foo | exit criterion "foo" is none of
          --exit kl:0 | exit threshold "0" of kl
          --min-recurrence 2 | --min-recurrence needs --exit
          --exit kl --no-exit-in-prefill --prefill-exit row | exclude each other
          --kv budget:0 | expected full, budget:N or anchor:N
          --kv-type f16 | expected f32, bf16 or q8
          --lookahead 2 | --lookahead needs --draft-recurrence
          --headway 2 | --headway needs --parallel
          --parallel --draft-recurrence 2 | exclude each other
          --parallel --exit kl | exclude each other
          --parallel --kv full | needs the cache policy budget:1
          --draft-recurrence 2 --kv budget:2 | needs the cache policy full
          --draft-recurrence 8 -r 8 | must be below the recurrence 8
          --draft-recurrence 2 --warm-start | exclude each other
          --batch 2 | --batch needs --prompts
          --prompts x.jsonl | exclude each other
          """)
  void badCombinationsGiveOneLine(String options, String message) throws Exception {
    CommandRun run = CommandRun.of(("generate " + options + " 47+8=").split(" "));
    assertEquals(2, run.exitCode());
    assertEquals(1, run.err().lines().count(), run.err());
    assertTrue(run.err().contains(message), run.err());
    assertEquals("", run.out());
  }

  @Test
  void manyPromptsGiveResultsInOrder(@TempDir Path directory) throws Exception {
    Path file = directory.resolve("prompts.jsonl");
    Files.writeString(
        file,
        """
        {"prompt":"73+9=","id":"first"}
        {"prompt":"12345678=","id":2}

        {"prompt_tokens":[256,52,55,43,56,61]}
        """);
    CommandRun run =
        CommandRun.of("generate", "--prompts", file.toString(), "--batch", "2", "--exit", "kl");
    assertEquals(0, run.exitCode(), run.err());
    String[] lines = run.out().split("\n");
    assertEquals(3, lines.length);
    assertTrue(lines[0].startsWith("{\"id\":\"first\",") && lines[0].contains("\"text\":\"82\""));
    assertTrue(lines[1].startsWith("{\"id\":2,") && lines[1].contains("\"text\":\"6\""));
    assertTrue(lines[2].contains("\"text\":\"55\""), lines[2]);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          {"prompt":"1"} | {"promp":"1"} | line 2: key "promp"
          {"prompt":"1"} | no json | line 2
          {"prompt":"1"} | {"prompt":5} | line 2: expected one of prompt
          {"prompt":"1"} | {"prompt":"a","prompt_tokens":[1]} | line 2: expected one of prompt
          {"prompt":"1"} | {"prompt_tokens":[]} | line 2: a prompt needs at least one token
          {"prompt":"1"} | {"prompt_tokens":[5000]} | line 2: prompt token 5000
          """)
  void aBadLineIsNamed(String first, String second, String message, @TempDir Path directory)
      throws Exception {
    Path file = directory.resolve("prompts.jsonl");
    Files.writeString(file, first + "\n" + second + "\n");
    CommandRun run = CommandRun.of("generate", "--prompts", file.toString());
    assertTrue(run.exitCode() == 1 || run.exitCode() == 2);
    assertEquals(1, run.err().lines().count(), run.err());
    assertTrue(run.err().contains(message), run.err());
    assertEquals("", run.out());
  }
}
