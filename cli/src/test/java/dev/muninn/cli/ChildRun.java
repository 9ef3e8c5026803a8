package dev.muninn.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** A command in a JVM of its own, for what ends or outlives a program. Closing kills it. */
public final class ChildRun implements AutoCloseable {
  private static final int PATIENCE_SECONDS = 120;

  private final Process process;
  private final Path out;
  private final Path err;

  private ChildRun(Process process, Path out, Path err) {
    this.process = process;
    this.out = out;
    this.err = err;
  }

  /**
   * Starts a command.
   *
   * @param outputs a directory for what it prints
   * @param environment added to this program's
   */
  public static ChildRun start(Path outputs, Map<String, String> environment, String... arguments)
      throws IOException {
    Path out = Files.createTempFile(outputs, "out", "");
    Path err = Files.createTempFile(outputs, "err", "");
    ProcessBuilder builder =
        new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "--add-modules=jdk.incubator.vector",
            "--enable-native-access=ALL-UNNAMED",
            "-Xmx512m",
            "-Djava.io.tmpdir=" + outputs,
            "-cp",
            System.getProperty("java.class.path"),
            Main.class.getName());
    builder.command().addAll(List.of(arguments));
    builder.environment().putAll(environment);
    return new ChildRun(
        builder.redirectOutput(out.toFile()).redirectError(err.toFile()).start(), out, err);
  }

  /** Waits until a condition holds, or the process has ended. */
  public void await(Condition condition) throws IOException, InterruptedException {
    for (int i = 0; i < PATIENCE_SECONDS * 100 && process.isAlive(); i++) {
      if (condition.holds()) {
        return;
      }
      Thread.sleep(10);
    }
    throw new AssertionError("never came: " + Files.readString(out) + Files.readString(err));
  }

  /** What is waited for. */
  @FunctionalInterface
  public interface Condition {
    boolean holds() throws IOException;
  }

  /** Sends the signal of Ctrl-C. */
  public void interrupt() throws IOException, InterruptedException {
    new ProcessBuilder("kill", "-INT", Long.toString(process.pid())).start().waitFor();
  }

  /** Sends the signal by which service managers end a program. */
  public void terminate() {
    process.destroy();
  }

  /** Waits for the end; the warning of Java's incubator is left out. */
  public CommandRun result() throws IOException, InterruptedException {
    if (!process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
      throw new AssertionError("does not end: " + Files.readString(out) + Files.readString(err));
    }
    StringBuilder lines = new StringBuilder();
    Files.readString(err)
        .lines()
        .filter(line -> !line.startsWith("WARNING: "))
        .forEach(line -> lines.append(line).append('\n'));
    return new CommandRun(process.exitValue(), Files.readString(out), lines.toString());
  }

  /** Kills the process, which cannot help it. */
  @Override
  public void close() throws IOException {
    process.destroyForcibly();
    try {
      process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
