package dev.muninn.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.weights.JsonFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Rows that cannot be computed, and commands that cannot begin. */
@Timeout(1200)
class BadRowsTest {
  private static final String GOOD = "{\"id\":0,\"prompt\":\"47+8=\",\"extra\":{\"k\":[1,2]}}";
  private static final List<String> BAD =
      List.of(
          "{\"id\":1,\"prompt\":\"" + "1".repeat(300) + "\"}",
          "{\"id\":2,\"messages\":[{\"role\":\"robot\",\"content\":\"hi\"}]}",
          "{\"id\":3,\"messages\":\"hi\"}",
          "{\"id\":4,\"prompt_tokens\":[99999]}",
          "{\"id\":5,\"prompt\":\"x\",\"prompt_tokens\":[1]}",
          "{\"id\":6,\"prompt\":5}",
          "{\"id\":7}",
          "{\"id\":8,\"prompt\":\"\"} {\"id\":9}",
          "{\"id\":10,\"prompt\":\"unfinished",
          "[1, 2]",
          "nonsense");

  @TempDir private Path directory;

  private Path input() throws IOException {
    List<String> lines = new ArrayList<>(List.of("\uFEFF" + GOOD, "", "   "));
    lines.addAll(BAD);
    lines.add(GOOD.replace(":0,", ":100,"));
    byte[] text = (String.join("\n", lines) + "\n\"").getBytes(StandardCharsets.UTF_8);
    text[text.length - 1] = (byte) 0xff;
    return Files.write(directory.resolve("rows.jsonl"), text);
  }

  private List<String> written(Path output) throws IOException {
    List<String> lines = new ArrayList<>();
    try (Stream<Path> files = Files.list(output)) {
      for (Path file : files.filter(path -> path.toString().endsWith(".json")).sorted().toList()) {
        lines.addAll(Files.readAllLines(file));
      }
    }
    return lines;
  }

  private CommandRun generate(Path output, String... more) throws IOException {
    List<String> arguments =
        new ArrayList<>(List.of(input().toString(), output.toString(), "-n", "4", "-r", "4"));
    arguments.addAll(List.of(more));
    return CommandRun.of(Map.of(), () -> Generate.run(arguments.toArray(String[]::new)));
  }

  /** Each bad row says why in a line; what is good beside it is computed. */
  @Test
  void badRowsHaveAnErrorColumn() throws IOException {
    Path output = directory.resolve("out");
    CommandRun run = generate(output, "--max-errors", "1", "--partitions", "3");
    assertEquals(0, run.exitCode(), run.told().toString());
    assertTrue(run.last().startsWith("muninn: 14 rows, 12 bad; "), run.last());
    List<Map<String, Object>> rows =
        written(output).stream().map(line -> JsonFile.readObject("line", line)).toList();
    assertEquals(BAD.size() + 3, rows.size());
    int bad = 0;
    for (Map<String, Object> row : rows) {
      if ("55".equals(row.get("text"))) {
        assertTrue(List.of(0L, 100L).contains(row.get("id")), row.toString());
        assertEquals(Map.of("k", List.of(1L, 2L)), row.get("extra"));
        assertNull(row.get("error"));
      } else {
        bad++;
        assertEquals(1, ((String) row.get("error")).lines().count(), row.toString());
        assertFalse(row.containsKey("tokens"), row.toString());
      }
    }
    assertEquals(BAD.size() + 1, bad);
    assertTrue(rows.stream().anyMatch(row -> "nonsense".equals(row.get("_corrupt_record"))));
    String errors = String.join("\n", rows.stream().map(row -> "" + row.get("error")).toList());
    for (String why :
        List.of(
            "tokens, more than the context of 256",
            "role \"robot\" is none of",
            "prompt token 99999 is outside the vocabulary",
            "expected one of prompt (a text)",
            "found bad JSON",
            "not UTF-8")) {
      assertTrue(errors.contains(why), why + " is not in\n" + errors);
    }
  }

  @Test
  void tooManyBadRowsFailBeforeAnythingIsComputed() throws IOException {
    Path output = directory.resolve("out");
    CommandRun run = generate(output, "--max-errors", "0.5");
    assertEquals(2, run.exitCode());
    assertEquals(1, run.told().size(), run.told().toString());
    assertTrue(
        run.last().startsWith("muninn: 12 of 14 rows are bad, more than --max-errors 0.5; one of"),
        run.last());
    assertFalse(Files.exists(output));
  }

  @Test
  void whatCannotBeginIsOneLine() throws IOException {
    Path output = Files.createDirectory(directory.resolve("there"));
    assertRefused(generate(output), 1, output + " exists; --overwrite replaces it");
    assertRefused(generate(directory.resolve("a"), "-r", "0"), 2, "--recurrence: ");
    assertRefused(generate(directory.resolve("b"), "--backend", "abacus"), 2, "backend must be");
    assertRefused(generate(directory.resolve("c"), "-m", "/nowhere"), 1, "/nowhere");
    String[] alone = {directory.resolve("none").toString(), directory.resolve("d").toString()};
    assertRefused(CommandRun.of(Map.of(), () -> Score.run(alone)), 1, alone[0]);
    assertRefused(
        CommandRun.of(Map.of("spark.task.cpus", "1"), () -> Score.run(alone)),
        2,
        "spark.task.cpus is 1, but an executor has 2 cores");
    assertRefused(CommandRun.of(Map.of(), () -> Score.run()), 2, "give INPUT and OUTPUT");
  }

  private static void assertRefused(CommandRun run, int exitCode, String text) {
    assertEquals(exitCode, run.exitCode(), run.told().toString());
    assertEquals(1, run.told().size(), run.told().toString());
    assertTrue(run.last().contains(text), run.last());
  }

  /** Parquet in and out, with conversations as structs and integers of any width. */
  @Test
  void parquetHasTheSameRows() throws IOException {
    String input = directory.resolve("rows.parquet").toString();
    Path output = directory.resolve("scores");
    try (SparkSession spark = LocalSession.open()) {
      Dataset<Row> rows =
          spark
              .read()
              .json(spark.createDataset(TestRows.lines(50), Encoders.STRING()))
              .withColumnRenamed("id", "name");
      rows.selectExpr(
              "name", "prompt", "messages", "cast(prompt_tokens as array<int>) prompt_tokens")
          .write()
          .parquet(input);
    }
    String[] arguments = {
      input, output.toString(), "--id", "name", "-r", "2", "--prefix", "its_", "--max-errors", "0"
    };
    CommandRun run = CommandRun.of(Map.of(), () -> Score.run(arguments));
    assertEquals(0, run.exitCode(), run.told().toString());
    assertTrue(run.last().startsWith("muninn: 50 of 50 rows, 0 bad; "), run.last());
    try (SparkSession spark = LocalSession.open()) {
      List<Row> rows = spark.read().parquet(output.toString()).collectAsList();
      assertEquals(50, rows.size());
      for (Row row : rows) {
        assertNotNull(row.getAs("its_perplexity"));
        int tokens = row.getList(row.fieldIndex("its_tokens")).size();
        assertEquals(tokens - 1, row.getList(row.fieldIndex("its_logprobs")).size());
      }
    }
  }
}
