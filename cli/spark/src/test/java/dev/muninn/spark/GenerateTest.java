package dev.muninn.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.weights.JsonFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(1200)
class GenerateTest {
  private static final int ROWS = Integer.getInteger("muninn.test.rows", 100);
  private static final List<String> DRAWN =
      List.of("-r", "2", "-n", "3", "-t", "3", "-s", "11", "--ignore-eos");

  @TempDir private static Path directory;

  private static SparkSession spark;

  @BeforeAll
  static void open() {
    spark = LocalSession.open();
  }

  @AfterAll
  static void close() throws IOException {
    spark.close();
    assertEquals(0, ExecutorModel.count(), "the model closes with the session");
  }

  private static Map<Long, Row> byId(Dataset<Row> rows) {
    Map<Long, Row> byId = new TreeMap<>();
    for (Row row : rows.collectAsList()) {
      Row before = byId.put(Long.parseLong(row.getAs("id").toString()), row);
      assertNull(before, "twice: " + row);
    }
    return byId;
  }

  private static String[] with(List<String> options, String... before) {
    List<String> all = new ArrayList<>(List.of(before));
    all.addAll(options);
    return all.toArray(String[]::new);
  }

  /** All that stands in a row is what the command prints, whatever the partitions. */
  @Test
  void rowsAreThoseOfTheCommand() throws IOException, InterruptedException {
    List<String> options = List.of("-r", "4", "-n", "3", "--exit", "kl");
    Path file = TestRows.file(directory, TestRows.lines(ROWS));
    List<String> expected =
        Program.muninn(directory, with(options, "generate", "--prompts", file.toString()));
    assertEquals(ROWS, expected.size());
    for (int partitions : new int[] {1, 7, 32}) {
      Dataset<Row> rows = RowFiles.read(spark, LocalSession.file(file, partitions));
      assertEquals(partitions, rows.javaRDD().getNumPartitions());
      JobMetrics metrics = JobMetrics.of(spark);
      Map<Long, Row> made =
          byId(MuninnSpark.generate(rows, GenerateOptions.parse(with(options)), metrics));
      assertEquals(ROWS, made.size());
      long tokens = 0;
      long recurrences = 0;
      for (String line : expected) {
        Map<String, Object> one = JsonFile.readObject("line", line);
        Row row = made.get((Long) one.get("id"));
        assertEquals(one.get("text"), row.getAs("text"), line);
        assertEquals(one.get("tokens"), longs(row, "tokens"), line);
        assertEquals(one.get("recurrences"), longs(row, "recurrences"), line);
        assertEquals(one.get("finish_reason"), row.getAs("finish_reason"), line);
        double mean =
            longs(row, "recurrences").stream().mapToLong(each -> each).average().orElseThrow();
        assertEquals(mean, row.<Double>getAs("mean_recurrences"), 1e-12, line);
        assertNull(row.getAs("error"));
        tokens += longs(row, "tokens").size();
        recurrences += longs(row, "recurrences").stream().mapToLong(each -> each).sum();
      }
      assertEquals(ROWS, metrics.rows());
      assertEquals(0, metrics.errors());
      assertEquals(tokens, metrics.tokens());
      assertEquals(recurrences, metrics.recurrences());
      assertTrue(metrics.tokensPerSecond() > 0);
      assertTrue(metrics.modelsOpened() <= 1);
    }
  }

  private static List<Long> longs(Row row, String column) {
    return row.<Integer>getList(row.fieldIndex(column)).stream().map(Integer::longValue).toList();
  }

  /** A seed is the row's own, so neither the parts nor the neighbours matter. */
  @Test
  void whatIsDrawnDependsOnSeedAndId() throws IOException, InterruptedException {
    List<String> lines = new ArrayList<>();
    for (int i = 0; i < 60; i++) {
      lines.add("{\"id\":" + i + ",\"prompt\":\"47+8=\"}");
    }
    Path file = TestRows.file(directory, lines);
    Map<Long, String> expected = new HashMap<>();
    String[] command = with(DRAWN, "generate", "--prompts", file.toString());
    for (String line : Program.muninn(directory, command)) {
      Map<String, Object> one = JsonFile.readObject("line", line);
      expected.put((Long) one.get("id"), (String) one.get("text"));
    }
    assertTrue(expected.values().stream().distinct().count() > 10, expected.toString());
    for (int partitions : new int[] {1, 9}) {
      Dataset<Row> rows = RowFiles.read(spark, LocalSession.file(file, partitions));
      Map<Long, Row> made = byId(MuninnSpark.generate(rows, GenerateOptions.parse(with(DRAWN))));
      made.forEach((id, row) -> assertEquals(expected.get(id), row.getAs("text")));
      assertEquals(expected.size(), made.size());
    }
    // An id is what it says, whatever type it has.
    Dataset<Row> texts =
        spark.read().json(spark.createDataset(lines.reversed(), Encoders.STRING()));
    texts = texts.withColumn("id", texts.col("id").cast("string"));
    byId(MuninnSpark.generate(texts, GenerateOptions.parse(with(DRAWN))))
        .forEach((id, row) -> assertEquals(expected.get(id), row.getAs("text")));
    GenerateOptions other =
        GenerateOptions.builder()
            .recurrence(2)
            .maxTokens(3)
            .temperature(3)
            .option("--ignore-eos")
            .seed(12)
            .build();
    assertNotEquals(
        expected.get(5L),
        MuninnSpark.generate(texts.filter("id = '5'"), other).first().getAs("text"));
  }

  /** A pipeline may have several steps, also with models that differ. */
  @Test
  void stepsFollowEachOther() throws IOException {
    Path file = TestRows.file(directory, List.of("{\"id\":1,\"prompt\":\"47+8=\",\"note\":\"n\"}"));
    Dataset<Row> rows = RowFiles.read(spark, LocalSession.file(file, 1));
    Dataset<Row> once =
        MuninnSpark.generate(rows, GenerateOptions.builder().prefix("a_").exit("kl").build());
    Dataset<Row> twice =
        MuninnSpark.score(
            once.withColumn("prompt", once.col("a_text")),
            ScoreOptions.builder().option("--backend", "vector").build());
    Row row = twice.first();
    assertEquals("n", row.getAs("note"));
    assertEquals("55", row.getAs("a_text"));
    assertEquals(List.of(256, 53, 53), row.getList(row.fieldIndex("tokens")));
    assertEquals(2, row.getList(row.fieldIndex("logprobs")).size());
  }
}
