package dev.muninn.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(1200)
class EvaluateTest {
  private static final Map<String, String> ONE_CORE = Map.of("spark.master", "local");

  @TempDir private Path directory;

  private Path choices() throws IOException {
    List<String> lines = new ArrayList<>();
    for (int i = 0; i < 40; i++) {
      lines.add(
          "{\"prompt\":\"%d+%d=\",\"choices\":[\"%d\",\"%d\",\"7\"],\"answer\":0}"
              .formatted(i, 2 * i, 3 * i, 3 * i + 10));
    }
    return Files.write(directory.resolve("choices.jsonl"), lines);
  }

  private void assertSame(List<Integer> partitions, String... arguments)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of("eval"));
    command.addAll(List.of(arguments));
    String expected =
        String.join("\n", Program.muninn(directory, command.toArray(String[]::new))) + "\n";
    String[] parts = Arrays.copyOf(arguments, arguments.length + 2);
    parts[arguments.length] = "--partitions";
    for (int count : partitions) {
      parts[arguments.length + 1] = Integer.toString(count);
      CommandRun run = CommandRun.of(ONE_CORE, () -> Evaluate.run(parts));
      assertEquals(0, run.exitCode(), run.told().toString());
      assertEquals(expected, run.out());
    }
  }

  /** 2,000 results, and the same JSON to the last bit. */
  @Test
  void jsonIsThatOfTheCommand() throws IOException, InterruptedException {
    String[] arguments = {
      "check-digit:4", "sum:2", "--problems", "500", "-r", "1,2", "-n", "3", "--seed", "5", "--json"
    };
    assertSame(List.of(1, 7, 32), arguments);
  }

  /** Files of tasks are read where the job begins, and shots and samples drawn as there. */
  @Test
  void tableIsThatOfTheCommand() throws IOException, InterruptedException {
    assertSame(List.of(5), choices().toString(), "--shots", "0,2", "-r", "2,4");
    String[] sampled = {
      "sum:2", "--problems", "20", "-r", "2", "--samples", "3", "--vote", "-t", "1", "--shots", "1"
    };
    assertSame(List.of(3), sampled);
  }

  /** Row by row, the same file; a run that lacks some of it computes those. */
  @Test
  void resultsAreThoseOfTheCommand() throws IOException, InterruptedException {
    List<String> arguments =
        List.of("sum:2", choices().toString(), "--problems", "40", "-r", "1,2");
    Path expected = directory.resolve("expected.jsonl");
    List<String> command = new ArrayList<>(List.of("eval", "--results", expected.toString()));
    command.addAll(arguments);
    String table =
        String.join("\n", Program.muninn(directory, command.toArray(String[]::new))) + "\n";
    List<String> lines = Files.readAllLines(expected);
    assertEquals(161, lines.size());
    Path made = Files.write(directory.resolve("made.jsonl"), lines.subList(0, 50));
    List<String> job = new ArrayList<>(List.of("--results", made.toString(), "--partitions", "4"));
    job.addAll(arguments);
    CommandRun run = CommandRun.of(ONE_CORE, () -> Evaluate.run(job.toArray(String[]::new)));
    assertEquals(0, run.exitCode(), run.told().toString());
    assertEquals(table, run.out());
    assertTrue(run.last().startsWith("muninn: 111 of 111 problems, 0 bad; "), run.last());
    assertEquals(Set.copyOf(lines), Set.copyOf(Files.readAllLines(made)));
    assertEquals(lines.size(), Files.readAllLines(made).size());
    // Nothing is missing any more.
    CommandRun again = CommandRun.of(ONE_CORE, () -> Evaluate.run(job.toArray(String[]::new)));
    assertEquals(table, again.out());
  }

  @Test
  void whatIsWrongIsOneLine() throws IOException {
    Path tooLong =
        Files.writeString(
            directory.resolve("long.jsonl"),
            "{\"prompt\":\"" + "1".repeat(400) + "\",\"answer\":\"1\"}\n");
    CommandRun refused = CommandRun.of(ONE_CORE, () -> Evaluate.run(tooLong.toString()));
    assertEquals(2, refused.exitCode());
    assertEquals(1, refused.told().size(), refused.told().toString());
    assertTrue(refused.last().contains("more than the context of 256"), refused.last());

    String missing = directory.resolve("no.jsonl").toString();
    CommandRun run = CommandRun.of(Map.of(), () -> Evaluate.run(missing));
    assertEquals(1, run.exitCode());
    assertEquals(List.of("muninn: " + missing + ": no such file or directory"), run.told());
  }
}
