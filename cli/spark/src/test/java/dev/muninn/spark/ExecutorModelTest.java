package dev.muninn.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerTaskStart;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(1200)
class ExecutorModelTest {
  @TempDir private Path directory;

  private static Dataset<Row> rows(SparkSession spark, int count, int partitions) {
    return spark
        .range(0, count, 1, partitions)
        .selectExpr("id", "concat(id % 90, '+', id % 7, '=') as prompt");
  }

  @Test
  void theModelIsOpenedOnce() throws IOException {
    try (SparkSession spark = LocalSession.open()) {
      JobMetrics metrics = JobMetrics.of(spark);
      Dataset<Row> rows = rows(spark, 100, 50);
      List<Row> made =
          MuninnSpark.generate(rows, GenerateOptions.parse("-r", "2", "-n", "2"), metrics)
              .collectAsList();
      assertEquals(100, made.size());
      assertEquals(50, rows.javaRDD().getNumPartitions());
      assertEquals(1, metrics.modelsOpened());
      assertEquals(1, ExecutorModel.count());
      // Another model takes its place.
      MuninnSpark.score(rows, ScoreOptions.parse("--backend", "vector", "-r", "2"), metrics)
          .collectAsList();
      assertEquals(2, metrics.modelsOpened());
      assertEquals(1, ExecutorModel.count());
    }
    assertEquals(0, ExecutorModel.count());
  }

  /** The answer would take hours; the next job's, a moment, and both need the one model. */
  @Test
  void aCancelledJobLeavesTheModel() throws Exception {
    try (SparkSession spark = LocalSession.open();
        ExecutorService driver = Executors.newSingleThreadExecutor()) {
      CountDownLatch started = new CountDownLatch(1);
      spark
          .sparkContext()
          .addSparkListener(
              new SparkListener() {
                @Override
                public void onTaskStart(SparkListenerTaskStart start) {
                  started.countDown();
                }
              });
      Future<List<Row>> endless =
          driver.submit(() -> {
            spark.sparkContext().setJobGroup("endless", "endless", false);
            String[] options = {"-r", "1000000", "-n", "200", "--ignore-eos", "--kv", "budget:1"};
            return MuninnSpark.generate(rows(spark, 1, 1), GenerateOptions.parse(options))
                .collectAsList();
          });
      assertTrue(started.await(3, TimeUnit.MINUTES));
      while (ExecutorModel.count() == 0) {
        Thread.sleep(20);
      }
      spark.sparkContext().cancelJobGroup("endless");
      ExecutionException failure =
          assertThrows(ExecutionException.class, () -> endless.get(3, TimeUnit.MINUTES));
      assertTrue(failure.toString().contains("cancelled"), failure.toString());
      Row next =
          MuninnSpark.generate(rows(spark, 1, 1), GenerateOptions.parse("-r", "4"))
              .collectAsList()
              .getFirst();
      assertEquals("0", next.getAs("text"));
    }
  }

  /** A model that travels with the job: a folder packed by --archives, or files by --files. */
  @Test
  void aModelMayTravelWithTheJob() throws IOException {
    Path model = Files.createDirectory(directory.resolve("files"));
    for (String name : List.of("config.json", "model.safetensors", "tokenizer.json")) {
      try (var stream = getClass().getResourceAsStream("/dev/muninn/cli/raven-tiny/" + name)) {
        Files.copy(stream, model.resolve(name), StandardCopyOption.REPLACE_EXISTING);
      }
    }
    Path archive = ZipFiles.of(model, directory.resolve("packed.zip"));
    try (SparkSession spark = LocalSession.open()) {
      spark.sparkContext().addArchive(archive + "#raven");
      try (var files = Files.list(model)) {
        files.forEach(file -> spark.sparkContext().addFile(file.toString()));
      }
      for (String where : List.of("raven", ".")) {
        GenerateOptions options = GenerateOptions.builder().model(where).maxTokens(3).build();
        Dataset<Row> row = spark.createDataset(List.of("47+8="), Encoders.STRING()).toDF("prompt");
        assertEquals("55", MuninnSpark.generate(row, options).first().getAs("text"));
      }
    }
  }
}
