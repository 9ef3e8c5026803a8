package dev.muninn.spark;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.apache.spark.SparkConf;
import org.apache.spark.sql.SparkSession;

/** Spark's own master and worker as two programs of this machine, which end with the test. */
final class StandaloneCluster implements AutoCloseable {
  private static final long PATIENCE = TimeUnit.MINUTES.toNanos(9);
  private static final String HOST = "127.0.0.1";

  private final Path directory;
  private final String address;
  private final List<Process> processes = new ArrayList<>();

  /** Starts a master and a worker of two cores. */
  StandaloneCluster(Path directory) throws IOException, InterruptedException {
    this.directory = directory;
    // Executors are started as those of a distribution, whose jars are the test's class path.
    Files.createDirectories(directory.resolve("home/jars"));
    int port;
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getByName(HOST))) {
      port = socket.getLocalPort();
    }
    address = "spark://" + HOST + ":" + port;
    try {
      start("org.apache.spark.deploy.master.Master", "--host", HOST, "--port", port + "");
      awaitMaster(port);
      Path work = directory.resolve("work");
      start(
          "org.apache.spark.deploy.worker.Worker",
          "--host",
          HOST,
          "--cores",
          "2",
          "--memory",
          "2g",
          "--work-dir",
          work.toString(),
          address);
    } catch (IOException | InterruptedException | RuntimeException | Error e) {
      close();
      throw e;
    }
  }

  private void start(String name, String... arguments) throws IOException {
    List<String> command = new ArrayList<>(List.of(name));
    command.addAll(List.of(arguments));
    command.addAll(List.of("--webui-port", "0"));
    ProcessBuilder builder =
        Program.builder(directory.resolve(name.replaceAll(".*\\.", "")), "256m", command);
    builder.environment().put("SPARK_HOME", directory.resolve("home").toString());
    builder.environment().put("SPARK_LOCAL_IP", HOST);
    builder.environment().put("SPARK_SCALA_VERSION", "2.13");
    builder.environment().put("SPARK_DIST_CLASSPATH", System.getProperty("java.class.path"));
    builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
    processes.add(builder.start());
  }

  private static void awaitMaster(int port) throws InterruptedException {
    for (long began = System.nanoTime(); ; Thread.sleep(100)) {
      try (Socket socket = new Socket()) {
        socket.connect(new InetSocketAddress(HOST, port));
        return;
      } catch (IOException e) {
        assertTrue(System.nanoTime() - began < PATIENCE, "the master does not listen");
      }
    }
  }

  /** A session with two executors of one core each, which are there. */
  SparkSession open() throws InterruptedException {
    SparkConf conf =
        LocalSession.quiet(new SparkConf(false))
            .set("spark.master", address)
            .set("spark.executor.cores", "1")
            .set("spark.cores.max", "2")
            .set("spark.executor.memory", "512m")
            .set(
                "spark.executor.extraJavaOptions",
                "\"@"
                    + Program.OPTIONS
                    + "\" -Xms512m -XX:+AlwaysPreTouch "
                    + String.join(" ", Program.compiler()))
            .set("spark.executor.heartbeatInterval", "1s")
            .set("spark.locality.wait", "0s");
    SparkSession spark = SparkSession.builder().config(conf).getOrCreate();
    try {
      for (long began = System.nanoTime();
          spark.sparkContext().statusTracker().getExecutorInfos().length < 3;
          Thread.sleep(100)) {
        assertTrue(System.nanoTime() - began < PATIENCE, "the executors do not come");
      }
      return spark;
    } catch (InterruptedException | RuntimeException | Error e) {
      spark.stop();
      throw e;
    }
  }

  /** The executors' processes. */
  List<ProcessHandle> executors() {
    return processes.getLast().toHandle().children().toList();
  }

  /** What the programs reported, for a test that failed. */
  String log() throws IOException {
    StringBuilder log = new StringBuilder();
    try (var files = Files.walk(directory)) {
      for (Path file :
          files.filter(path -> path.toString().matches(".*(\\.err|stderr)")).toList()) {
        log.append(file).append(":\n").append(Files.readString(file));
      }
    }
    return log.toString();
  }

  @Override
  public void close() {
    List<ProcessHandle> all = new ArrayList<>();
    for (Process process : processes) {
      process.descendants().forEach(all::add);
      all.add(process.toHandle());
    }
    all.forEach(ProcessHandle::destroyForcibly);
  }
}
