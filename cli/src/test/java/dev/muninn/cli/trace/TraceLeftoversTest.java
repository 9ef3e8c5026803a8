package dev.muninn.cli.trace;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.muninn.cli.ChildRun;
import dev.muninn.cli.CommandRun;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Traces that are interrupted, killed, or have no room. */
class TraceLeftoversTest {
  @TempDir private Path directory;

  private String[] options(boolean out, int recurrence, String... more) {
    String[] all = new String[5 + (out ? 2 : 0) + more.length];
    List<String> options =
        List.of("trace", "-m", CommandRun.RAVEN_TINY.toString(), "-r", "" + recurrence);
    options.toArray(all);
    int count = options.size();
    if (out) {
      all[count++] = "--out";
      all[count++] = directory.resolve("traced").toString();
    }
    for (String each : more) {
      all[count++] = each;
    }
    return all;
  }

  /** So many recurrences that it takes minutes. */
  private ChildRun longTrace(boolean out) throws IOException, InterruptedException {
    ChildRun run =
        ChildRun.start(directory, Map.of(), options(out, 200_000, "1+1=", "--threads", "1"));
    run.await(() -> latents() > 0);
    return run;
  }

  private long latents() throws IOException {
    for (String name : CommandRun.hidden(directory)) {
      Path folder = directory.resolve(name);
      if (Files.isDirectory(folder)) {
        return CommandRun.hidden(folder).size();
      }
    }
    return 0;
  }

  @Test
  void interruptionLeavesNothing() throws Exception {
    for (boolean out : new boolean[] {true, false}) {
      try (ChildRun run = longTrace(out)) {
        run.interrupt();
        assertEquals(130, run.result().exitCode());
      }
      assertEquals(List.of(), CommandRun.hidden(directory));
      assertFalse(Files.exists(directory.resolve("traced")));
    }
  }

  @Test
  void theNextRunRemovesWhatAKilledOneLeft() throws Exception {
    for (boolean out : new boolean[] {true, false}) {
      longTrace(out).close();
      assertEquals(2, CommandRun.hidden(directory).size());
      try (ChildRun next = ChildRun.start(directory, Map.of(), options(out, 2, "1+1="))) {
        CommandRun run = next.result();
        assertEquals(0, run.exitCode(), run.err());
      }
      assertEquals(List.of(), CommandRun.hidden(directory));
    }
    assertTrue(Files.exists(directory.resolve("traced/report.html")));
  }

  /** Where a small file system can be mounted, which takes the rights to. */
  @Test
  void aFullDiskIsNamedInOneLine() throws Exception {
    Path disk = Files.createDirectory(directory.resolve("disk"));
    assumeTrue(
        command("mount", "-t", "tmpfs", "-o", "size=400k", "none", disk.toString()), "no mount");
    try {
      boolean failed = false;
      for (int filled = 380; filled >= 100; filled -= 40) {
        Files.write(disk.resolve("filling"), new byte[filled << 10]);
        Path out = disk.resolve("out");
        CommandRun run =
            CommandRun.of(
                "trace",
                "-m",
                CommandRun.RAVEN_TINY.toString(),
                "-r",
                "8",
                "--out",
                out.toString(),
                "1+1=");
        if (run.exitCode() != 0) {
          failed = true;
          assertTrue(run.err().startsWith("muninn: " + out), run.err());
          assertFalse(run.err().contains("internal error"), run.err());
          assertFalse(run.err().contains(".muninn-"), run.err());
          assertEquals(1, run.err().lines().count(), run.err());
          assertEquals(1, run.exitCode());
          assertEquals(List.of(), CommandRun.hidden(disk));
          assertFalse(Files.exists(out));
        } else {
          break;
        }
      }
      assertTrue(failed, "the disk was never full");
    } finally {
      command("umount", disk.toString());
    }
  }

  private static boolean command(String... words) throws IOException, InterruptedException {
    Process process;
    try {
      process =
          new ProcessBuilder(words)
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .start();
    } catch (IOException missing) {
      return false;
    }
    return process.waitFor(30, TimeUnit.SECONDS) && process.exitValue() == 0;
  }
}
