package dev.muninn.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.muninn.weights.JsonFile;
import java.io.File;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/**
 * The jar as users have it: {@code spark-submit} runs it on Spark's own libraries, which are all on
 * the class path but those that Muninn brings.
 */
@Timeout(1200)
@Execution(ExecutionMode.CONCURRENT)
class PackedJarTest {
  private static final int MINUTES = 9;
  private static final String NAME = "raven/tiny";
  private static final String COMMIT = "0123456789abcdef0123456789abcdef01234567";
  private static final List<String> FILES =
      List.of("config.json", "model.safetensors", "tokenizer.json", "chat_template.jinja");

  /** Needs the template engine, which only the jar brings. */
  private static final String TEMPLATE =
      "{% for message in messages %}{{ message['content'] | trim }}{% endfor %}";

  /** What Spark does not bring. */
  private static final Pattern OURS =
      Pattern.compile(
          ".*/(muninn-[a-z0-9-]+\\.[^/]*|classes|test-classes|ai/djl|tools/jackson|info/picocli|me/tongfei|com/hubspot"
              + "|com/google/re2j|io/prometheus|jackson-datatype-jdk8|org/knowm|de/erichseifert"
              + "|org/ejml|org/jline|org/junit|org/opentest4j|org/apiguardian|surefire[^/]*)(/.*)?");

  @TempDir private Path directory;

  private Path model;

  @BeforeEach
  void layOut() throws IOException {
    model = Files.createDirectories(directory.resolve("files"));
    for (String name : FILES.subList(0, 3)) {
      try (var stream = getClass().getResourceAsStream("/dev/muninn/cli/raven-tiny/" + name)) {
        Files.copy(stream, model.resolve(name));
      }
    }
    Files.writeString(model.resolve("chat_template.jinja"), TEMPLATE);
    // Executors look for a distribution there, and take its jars from SPARK_DIST_CLASSPATH.
    Files.createDirectories(directory.resolve("spark/jars"));
  }

  private static String jarsOfSpark() {
    return Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
        .filter(entry -> !OURS.matcher(entry).matches())
        .collect(Collectors.joining(File.pathSeparator));
  }

  /** What a run printed. */
  private record Submitted(int exitCode, String out, List<String> told) {}

  private Submitted submit(List<String> settings, String command, String... arguments)
      throws IOException, InterruptedException {
    List<String> all = new ArrayList<>(List.of("org.apache.spark.deploy.SparkSubmit"));
    all.addAll(List.of("--conf", "spark.ui.enabled=false"));
    all.addAll(List.of("--conf", "spark.driver.host=127.0.0.1"));
    all.addAll(List.of("--conf", "spark.driver.bindAddress=127.0.0.1"));
    all.addAll(settings);
    all.addAll(List.of("--class", "dev.muninn.spark." + command));
    all.add(System.getProperty("muninn.jar"));
    all.addAll(List.of(arguments));
    Path output = Files.createTempFile(directory, "submit", ".out");
    ProcessBuilder builder = Program.builder(output, "512m", all);
    builder.directory(directory.toFile());
    builder.environment().put("CLASSPATH", jarsOfSpark());
    builder.environment().put("SPARK_DIST_CLASSPATH", jarsOfSpark());
    builder.environment().put("SPARK_HOME", directory.resolve("spark").toString());
    builder.environment().put("SPARK_LOCAL_IP", "127.0.0.1");
    builder.environment().put("SPARK_SCALA_VERSION", "2.13");
    builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
    Process process = builder.start();
    try {
      assertTrue(process.waitFor(MINUTES, TimeUnit.MINUTES), "the job goes on and on");
    } finally {
      process.descendants().forEach(ProcessHandle::destroyForcibly);
      process.destroyForcibly();
    }
    List<String> errors = Files.readAllLines(Program.errors(output));
    List<String> told = errors.stream().filter(line -> line.startsWith("muninn: ")).toList();
    assertTrue(!told.isEmpty(), String.join("\n", errors));
    return new Submitted(process.exitValue(), Files.readString(output), told);
  }

  private static void assertDone(Submitted job) {
    assertEquals(0, job.exitCode, job.told.toString());
  }

  /** Two executors of one host need the same model at once. Spark's executors ask for it. */
  @Test
  void executorsPullTheModelOnce() throws IOException, InterruptedException {
    List<String> lines = new ArrayList<>(TestRows.lines(60));
    lines.add("{\"id\":60,\"messages\":[{\"role\":\"user\",\"content\":\" 47+8= \"}],\"x\":{}}");
    Path input = TestRows.file(directory, lines);
    Path output = directory.resolve("answers");
    AtomicInteger pulls = new AtomicInteger();
    Submitted job;
    HttpServer hub = hub(pulls);
    try (var threads = Executors.newCachedThreadPool()) {
      hub.setExecutor(threads);
      hub.start();
      String address = "http://127.0.0.1:" + hub.getAddress().getPort();
      job =
          submit(
              List.of(
                  "--master",
                  "local-cluster[2,1,1024]",
                  "--conf",
                  "spark.executor.memory=512m",
                  "--conf",
                  "spark.executorEnv.HF_ENDPOINT=" + address,
                  "--conf",
                  "spark.executorEnv.MUNINN_MODELS=" + directory.resolve("models")),
              "Generate",
              "-m",
              NAME,
              "-r",
              "4",
              "-n",
              "3",
              "--max-errors",
              "0",
              "--partitions",
              "6",
              input.toString(),
              output.toString());
    } finally {
      hub.stop(0);
    }
    assertDone(job);
    assertEquals(1, pulls.get());
    Map<Long, Object> texts = new TreeMap<>();
    for (Map<String, Object> row : rows(output)) {
      assertNull(row.get("error"), row.toString());
      texts.put((Long) row.get("id"), row.get("text"));
    }
    lines.removeLast();
    lines.add("{\"id\":60,\"messages\":[{\"role\":\"user\",\"content\":\" 47+8= \"}]}");
    TestRows.file(directory, lines);
    Map<Long, Object> expected =
        Program.muninn(
                directory,
                "generate",
                "-m",
                model.toString(),
                "-r",
                "4",
                "-n",
                "3",
                "--prompts",
                input.toString())
            .stream()
            .map(line -> JsonFile.readObject("line", line))
            .collect(
                Collectors.toMap(
                    row -> (Long) row.get("id"),
                    row -> row.get("text"),
                    (one, other) -> one,
                    TreeMap::new));
    assertEquals(expected, texts);
  }

  private static List<Map<String, Object>> rows(Path output) throws IOException {
    List<Map<String, Object>> rows = new ArrayList<>();
    try (Stream<Path> files = Files.list(output)) {
      for (Path file : files.filter(path -> path.toString().endsWith(".json")).toList()) {
        for (String line : Files.readAllLines(file)) {
          rows.add(JsonFile.readObject("line", line));
        }
      }
    }
    return rows;
  }

  @Test
  void filesAndArchivesBringTheModel() throws IOException, InterruptedException {
    String files =
        FILES.stream().map(name -> model.resolve(name).toString()).collect(Collectors.joining(","));
    Path input = TestRows.file(directory, TestRows.lines(10));
    Path output = directory.resolve("scores");
    assertDone(
        submit(
            List.of("--master", "local[2]", "--files", files),
            "Score",
            "-m",
            ".",
            input.toString(),
            output.toString()));
    assertEquals(10, rows(output).stream().filter(row -> row.containsKey("logprobs")).count());
    Path archive = ZipFiles.of(model, directory.resolve("model.zip"));
    Submitted evaluation =
        submit(
            List.of("--master", "local[2]", "--archives", archive + "#raven"),
            "Evaluate",
            "-m",
            "raven",
            "sum:2",
            "--problems",
            "20",
            "-r",
            "4");
    assertDone(evaluation);
    assertEquals(
        String.join(
            "\n",
            Program.muninn(
                directory, "eval", "-m", model.toString(), "sum:2", "--problems", "20", "-r", "4")),
        evaluation.out.strip());
  }

  @Test
  void aFailureIsOneLineAndAnExitCode() throws IOException, InterruptedException {
    Submitted job = submit(List.of("--master", "local[2]"), "Generate", "--temprature", "1");
    assertEquals(2, job.exitCode);
    assertEquals(
        List.of(
            "muninn: unknown option '--temprature', did you mean --temperature? (see 'Generate --help')"),
        job.told);
  }

  /** A hub that has the model. */
  private HttpServer hub(AtomicInteger pulls) throws IOException {
    InetSocketAddress address = new InetSocketAddress(InetAddress.getByName("127.0.0.1"), 0);
    HttpServer server = HttpServer.create(address, 0);
    String siblings =
        FILES.stream()
            .map(name -> {
              byte[] content = read(name);
              return "{\"rfilename\":\"%s\",\"size\":%d,\"blobId\":\"%s\"}"
                  .formatted(name, content.length, blob(content));
            })
            .collect(Collectors.joining(","));
    server.createContext(
        "/api/models/" + NAME,
        exchange -> {
          pulls.incrementAndGet();
          String listing = "{\"sha\":\"" + COMMIT + "\",\"siblings\":[" + siblings + "]}";
          respond(exchange, listing.getBytes(StandardCharsets.UTF_8));
        });
    server.createContext(
        "/" + NAME + "/resolve/" + COMMIT + "/",
        exchange -> {
          String name = exchange.getRequestURI().getPath().replaceFirst(".*/", "");
          byte[] content = read(name);
          exchange.getResponseHeaders().add("ETag", "\"" + blob(content) + "\"");
          exchange.getResponseHeaders().add("X-Repo-Commit", COMMIT);
          respond(exchange, content);
        });
    return server;
  }

  private byte[] read(String name) {
    try {
      return Files.readAllBytes(model.resolve(name));
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private static void respond(HttpExchange exchange, byte[] content) throws IOException {
    try (exchange) {
      exchange.sendResponseHeaders(200, content.length);
      exchange.getResponseBody().write(content);
    }
  }

  /** The name that Git gives a content. */
  private static String blob(byte[] content) {
    byte[] head = ("blob " + content.length + "\0").getBytes(StandardCharsets.UTF_8);
    byte[] all = Arrays.copyOf(head, head.length + content.length);
    System.arraycopy(content, 0, all, head.length, content.length);
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-1").digest(all));
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError(e);
    }
  }
}
