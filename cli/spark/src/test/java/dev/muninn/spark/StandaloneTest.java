package dev.muninn.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.LanguageModel;
import dev.muninn.cli.run.PromptLines;
import dev.muninn.decode.Cancellation;
import dev.muninn.serve.GenerationRequest;
import dev.muninn.serve.GenerationResult;
import dev.muninn.serve.Outcome;
import dev.muninn.weights.JsonFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerExecutorRemoved;
import org.apache.spark.scheduler.SparkListenerTaskEnd;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Executors in processes of their own, one of which is killed. */
@Timeout(1200)
class StandaloneTest {
  private static final int ROWS = 100;
  private static final int PARTITIONS = 12;
  private static final int GROWTH_KILOBYTES = 40_000;
  private static final String[] OPTIONS = {"-r", "8", "-n", "4", "-t", "1", "-s", "5"};

  @TempDir private Path directory;

  /** Counts what happens to a job, so that the test can act in its middle. */
  private static final class Events extends SparkListener {
    final CountDownLatch inTheMiddle = new CountDownLatch(4);
    final AtomicInteger removed = new AtomicInteger();

    @Override
    public void onTaskEnd(SparkListenerTaskEnd end) {
      inTheMiddle.countDown();
    }

    @Override
    public void onExecutorRemoved(SparkListenerExecutorRemoved executor) {
      removed.incrementAndGet();
    }
  }

  @Test
  void aKilledExecutorLosesNoRow() throws Exception {
    List<String> lines = TestRows.lines(ROWS);
    Map<Long, String> expected = onThisMachine(lines);
    Path input = TestRows.file(directory, lines);
    Path output = directory.resolve("answers");
    try (StandaloneCluster cluster = new StandaloneCluster(directory.resolve("cluster"));
        SparkSession spark = cluster.open();
        ExecutorService driver = Executors.newSingleThreadExecutor()) {
      Events events = new Events();
      Dataset<Row> rows = RowFiles.read(spark, LocalSession.file(input, PARTITIONS));
      Dataset<Row> answers = MuninnSpark.generate(rows, GenerateOptions.parse(OPTIONS));
      spark.sparkContext().addSparkListener(events);
      Future<?> job = driver.submit(() -> answers.write().json(output.toString()));
      assertTrue(events.inTheMiddle.await(9, TimeUnit.MINUTES), cluster.log());
      ProcessHandle victim = cluster.executors().getFirst();
      // By kill -9.
      assertTrue(victim.destroyForcibly());
      job.get(9, TimeUnit.MINUTES);
      assertTrue(events.removed.get() >= 1, "no executor was lost");
      assertEquals(expected, written(output));
      assertLevelMemory(spark);
    }
  }

  /** What became of each row; none may stand twice. */
  private static Map<Long, String> written(Path output) throws IOException {
    Map<Long, String> texts = new TreeMap<>();
    try (Stream<Path> files = Files.list(output)) {
      for (Path file : files.filter(path -> path.toString().endsWith(".json")).toList()) {
        for (String line : Files.readAllLines(file)) {
          Map<String, Object> row = JsonFile.readObject("line", line);
          String before = texts.put((Long) row.get("id"), (String) row.get("text"));
          assertEquals(null, before, "twice: " + line);
        }
      }
    }
    return texts;
  }

  private static Map<Long, String> onThisMachine(List<String> lines) throws IOException {
    GenerateArguments arguments = GenerateOptions.parse(OPTIONS).parsed();
    List<GenerationRequest> requests = new ArrayList<>();
    for (int i = 0; i < lines.size(); i++) {
      Map<String, Object> object = JsonFile.readObject("line", lines.get(i));
      object.remove("id");
      requests.add(arguments.request(PromptLines.prompt(object), Integer.toString(i)));
    }
    Map<Long, String> texts = new TreeMap<>();
    try (LanguageModel model = new ModelSource(null, "vector", null).open(1)) {
      List<Outcome<GenerationResult>> made =
          model.generateAll(requests, 8, (result, index) -> {}, new Cancellation());
      for (int i = 0; i < made.size(); i++) {
        texts.put((long) i, made.get(i).orElseThrow().text().orElseThrow());
      }
    }
    return texts;
  }

  /** Keys and values of a context that were not freed would be 10 MB more with every partition. */
  private static void assertLevelMemory(SparkSession spark) {
    Dataset<Row> rows =
        spark.range(0, 300, 1, 100).selectExpr("id", "concat(id % 90, '+', id % 7, '=') as prompt");
    GenerateOptions options = GenerateOptions.parse("-r", "4", "-n", "2", "--context", "256");
    MapPartitionsFunction<Row, String> measure =
        answers -> {
          answers.forEachRemaining(answer -> {});
          String resident =
              Files.readAllLines(Path.of("/proc/self/status")).stream()
                  .filter(line -> line.startsWith("VmRSS:"))
                  .findFirst()
                  .orElseThrow();
          long kilobytes = Long.parseLong(resident.replaceAll("[^0-9]", ""));
          return List.of(ProcessHandle.current().pid() + " " + kilobytes).iterator();
        };
    Map<String, List<Long>> byProcess = new HashMap<>();
    for (String measured :
        MuninnSpark.generate(rows, options)
            .mapPartitions(measure, Encoders.STRING())
            .collectAsList()) {
      String[] parts = measured.split(" ");
      byProcess.computeIfAbsent(parts[0], key -> new ArrayList<>()).add(Long.parseLong(parts[1]));
    }
    List<Long> longest =
        byProcess.values().stream().max((one, other) -> one.size() - other.size()).orElseThrow();
    assertTrue(longest.size() >= 50, byProcess.toString());
    long early = longest.subList(5, 15).stream().mapToLong(each -> each).max().orElseThrow();
    long late =
        longest.subList(longest.size() - 10, longest.size()).stream()
            .mapToLong(each -> each)
            .max()
            .orElseThrow();
    assertTrue(late - early < GROWTH_KILOBYTES, longest.toString());
  }
}
