package dev.muninn.cli.eval;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.cli.ChildRun;
import dev.muninn.cli.CommandRun;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Two programs that are to write one file of results. */
class EvalLockTest {
  @TempDir private Path directory;

  private String[] options(Path results) {
    return new String[] {
      "eval",
      "-m",
      CommandRun.RAVEN_TINY.toString(),
      "sum:6",
      "--problems",
      "5000",
      "-r",
      "1",
      "--batch",
      "1",
      "--threads",
      "1",
      "--results",
      results.toString()
    };
  }

  private static long lines(Path file) throws IOException {
    return Files.exists(file) ? Files.readString(file).lines().count() : 0;
  }

  @Test
  void theSecondRunIsRefusedAsLongAsTheFirstLives() throws Exception {
    Path results = directory.resolve("results.jsonl");
    Path link = Files.createSymbolicLink(directory.resolve("link"), results);
    try (ChildRun first = ChildRun.start(directory, Map.of(), options(results))) {
      first.await(() -> lines(results) > 3);
      for (Path name : List.of(results, link)) {
        CommandRun.of(options(name)).assertFails(1, name + ": another run is writing to it");
      }
      long before = lines(results);
      first.await(() -> lines(results) > before + 3);
      CommandRun.of(options(results)).assertFails(1, "another run is writing to it");
    }
    // The first was killed: its lock does not outlive it.
    long before = lines(results);
    try (ChildRun second = ChildRun.start(directory, Map.of(), options(link))) {
      second.await(() -> lines(results) > before + 3);
      second.interrupt();
      assertEquals(130, second.result().exitCode());
    }
    byte[] bytes = Files.readAllBytes(results);
    String text = new String(bytes, StandardCharsets.UTF_8);
    assertEquals(-1, text.indexOf('\0'));
    assertTrue(text.endsWith("}\n"), text.substring(Math.max(0, text.length() - 100)));
    assertEquals(
        List.of(), CommandRun.hidden(directory), "the second run removed the first one's lock");
  }

  @Test
  void whatIsNoFileIsRefused() throws IOException {
    CommandRun.of(options(Path.of("/dev/null"))).assertFails(1, "/dev/null: is not a file");
    CommandRun.of(options(directory)).assertFails(1, "is a directory");
    CommandRun.of(options(directory.resolve("no/results")))
        .assertFails(1, directory.resolve("no") + ": no such file or directory");
  }
}
