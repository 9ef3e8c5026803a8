package dev.muninn.cli.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.cli.CommandRun;
import dev.muninn.cli.Main;
import dev.muninn.cli.process.ExitCode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Runs training in JVMs of their own, which are told to end, or ended without a word. */
class TrainKillTest {
  private static final int KILLS = 4;

  @TempDir private Path directory;

  private Process start(long steps) throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("--add-modules", "jdk.incubator.vector"));
    command.add("--enable-native-access=ALL-UNNAMED");
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), Main.class.getName()));
    command.addAll(options(steps));
    return new ProcessBuilder(command)
        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
        .redirectError(ProcessBuilder.Redirect.DISCARD)
        .start();
  }

  private List<String> options(long steps) {
    return List.of(
        "train",
        "--out=" + directory,
        Files.exists(directory.resolve("log.csv")) ? "--resume" : "--threads=1",
        "--embedding-size=16",
        "--heads=2",
        "--intermediate-size=24",
        "--mean-recurrence=2",
        "--batch=2",
        "--length=30",
        "--digits=4",
        "--save-every=1",
        "--evaluate-every=1000",
        "--steps=" + steps);
  }

  /** Waits until the log has more than its heading and so many lines. */
  private void awaitSteps(Process process, long lines) throws IOException, InterruptedException {
    Path log = directory.resolve("log.csv");
    while (!Files.exists(log) || Files.readAllLines(log).size() <= lines) {
      assertTrue(process.isAlive(), "train ended early");
      Thread.sleep(5);
    }
  }

  private void assertWhole() {
    CommandRun run =
        CommandRun.of("generate", "-m", directory.toString(), "--max-tokens=1", "-r", "1", "1=");
    assertEquals(ExitCode.OK, run.exitCode(), run.err());
  }

  @Test
  void whatIsKilledGoesOn() throws IOException, InterruptedException {
    Random random = new Random(5);
    long reached = 0;
    for (int kill = 0; kill < KILLS; kill++) {
      Process process = start(1_000_000);
      try {
        awaitSteps(process, reached + 2);
        Thread.sleep(random.nextInt(100));
      } finally {
        process.destroyForcibly().waitFor();
      }
      assertWhole();
      reached = Files.readAllLines(directory.resolve("log.csv")).size();
    }
    CommandRun last = CommandRun.of(options(reached + 3).toArray(String[]::new));
    assertEquals(ExitCode.OK, last.exitCode(), last.err());
    assertEquals(reached + 4, Files.readAllLines(directory.resolve("log.csv")).size());
    assertEquals(List.of(), CommandRun.hidden(directory));
    assertEquals(List.of(), CommandRun.hidden(directory.resolve("training-state")));
  }

  @Test
  void twoRunsCannotWriteOneDirectory() throws IOException, InterruptedException {
    Process first = start(1_000_000);
    try {
      awaitSteps(first, 2);
      for (int i = 0; i < 2; i++) {
        CommandRun.of(options(1_000_000).toArray(String[]::new))
            .assertFails(ExitCode.FAILED, directory + ": another run is writing there");
      }
    } finally {
      first.destroyForcibly().waitFor();
    }
    assertWhole();
  }

  @Test
  void interruptionSavesFirst() throws IOException, InterruptedException {
    Process process = start(1_000_000);
    try {
      awaitSteps(process, 3);
      new ProcessBuilder("kill", "-INT", Long.toString(process.pid())).start().waitFor();
      assertTrue(process.waitFor(60, TimeUnit.SECONDS));
    } finally {
      process.destroyForcibly();
    }
    assertEquals(ExitCode.INTERRUPTED, process.exitValue());
    assertWhole();
    int steps = Files.readAllLines(directory.resolve("log.csv")).size() - 1;
    CommandRun done = CommandRun.of(options(steps).toArray(String[]::new));
    assertTrue(done.out().startsWith("step " + steps + " is saved"), done.out() + done.err());
  }
}
