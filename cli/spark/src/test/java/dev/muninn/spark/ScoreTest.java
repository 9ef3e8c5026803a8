package dev.muninn.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import dev.muninn.LanguageModel;
import dev.muninn.cli.run.PromptLines;
import dev.muninn.decode.InitialState;
import dev.muninn.serve.Score;
import dev.muninn.weights.JsonFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(1200)
class ScoreTest {
  private static final int ROWS = Integer.getInteger("muninn.test.rows", 100);

  @TempDir private Path directory;

  /** Each log-probability is, to the last bit, the one that the command computes alone. */
  @Test
  void rowsAreThoseOfTheCommand() throws IOException, InterruptedException {
    List<String> lines = TestRows.lines(ROWS);
    Map<Long, Score> expected = new HashMap<>();
    try (LanguageModel model = new ModelSource(null, "vector", null).open(1)) {
      for (String line : lines) {
        Map<String, Object> object = JsonFile.readObject("line", line);
        Long id = (Long) object.remove("id");
        Score score = model.score(PromptLines.prompt(object), 4, InitialState.random(3));
        expected.put(id, score);
      }
    }
    Map<String, Object> alone =
        JsonFile.readObject(
            "line",
            Program.muninn(directory, "score", "-r", "4", "-s", "3", "--json", prompt(lines.get(5)))
                .getFirst());
    assertEquals(alone.get("logprobs"), expected.get(5L).logProbabilities());
    Path file = TestRows.file(directory, lines);
    ScoreOptions options = ScoreOptions.builder().recurrence(4).seed(3).build();
    try (SparkSession spark = LocalSession.open()) {
      for (int partitions : new int[] {1, 7, 32}) {
        List<Row> rows =
            MuninnSpark.score(RowFiles.read(spark, LocalSession.file(file, partitions)), options)
                .collectAsList();
        assertEquals(ROWS, rows.stream().map(row -> row.<Long>getAs("id")).distinct().count());
        assertEquals(ROWS, rows.size());
        for (Row row : rows) {
          Score score = expected.get(row.<Long>getAs("id"));
          assertEquals(score.tokens(), row.getList(row.fieldIndex("tokens")));
          assertEquals(score.logProbabilities(), row.getList(row.fieldIndex("logprobs")));
          assertEquals(score.logLikelihood(), row.<Double>getAs("log_likelihood"));
          assertEquals(score.perplexity(), row.<Double>getAs("perplexity"));
          assertNull(row.getAs("error"));
        }
      }
    }
  }

  private static String prompt(String line) {
    return (String) JsonFile.readObject("line", line).get("prompt");
  }
}
