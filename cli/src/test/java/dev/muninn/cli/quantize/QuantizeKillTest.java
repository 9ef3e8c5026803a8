package dev.muninn.cli.quantize;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.cli.ChildRun;
import dev.muninn.cli.CommandRun;
import dev.muninn.cli.process.ExitCode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Preparations in JVMs of their own, which end without a word. */
class QuantizeKillTest {
  @TempDir private Path directory;

  private Path out() {
    return directory.resolve("prepared");
  }

  private ChildRun start(String type) throws IOException {
    return ChildRun.start(directory, Map.of(), arguments(type));
  }

  private String[] arguments(String type) {
    Stream<String> options = Stream.of("quantize", "--force", "--type", type);
    // Looking at what is multiplied takes seconds in which nothing is written.
    Stream<String> rounding = type.equals("bf16") ? Stream.of() : Stream.of("--calibrate", "none");
    Stream<String> files = Stream.of("--out", out().toString(), CommandRun.RAVEN_TINY.toString());
    return Stream.of(options, rounding, files).flatMap(part -> part).toArray(String[]::new);
  }

  /** A moment of a preparation, told by what lies in the directory. */
  private enum Moment {
    BEGUN,
    WEIGHTS,
    CONFIGURED,
    COPIED
  }

  private boolean reached(Moment moment) throws IOException {
    for (String name : CommandRun.hidden(directory)) {
      Path work = directory.resolve(name);
      if (!Files.isDirectory(work)) {
        continue;
      }
      boolean there =
          switch (moment) {
            case BEGUN -> true;
            case WEIGHTS -> !CommandRun.hidden(work).isEmpty();
            case CONFIGURED -> Files.exists(work.resolve("config.json"));
            case COPIED -> Files.exists(work.resolve("tokenizer.json"));
          };
      if (there) {
        return true;
      }
    }
    return false;
  }

  private boolean isThere(String type) throws IOException {
    Path config = out().resolve("config.json");
    return Files.exists(config) && Files.readString(config).contains('"' + type + '"');
  }

  private void assertAnswers() {
    CommandRun run = CommandRun.of("generate", "-m", out().toString(), "-r", "16", "47+8=");
    assertEquals(ExitCode.OK, run.exitCode(), run.err());
    assertEquals("55", run.out().strip());
  }

  /** Kills at each moment; whatever stands at the name then is whole. */
  private void killAtEach() throws Exception {
    boolean inTime = false;
    for (Moment moment : Moment.values()) {
      String type = moment.ordinal() % 2 == 0 ? "q8" : "q4";
      try (ChildRun run = start(type)) {
        run.await(() -> reached(moment) || isThere(type));
      }
      inTime |= !CommandRun.hidden(directory).isEmpty();
      if (Files.exists(out())) {
        assertAnswers();
      }
    }
    assertTrue(inTime, "every kill came too late");
  }

  private void assertNextRunSweeps() throws Exception {
    try (ChildRun next = start("mixed")) {
      CommandRun run = next.result();
      assertEquals(ExitCode.OK, run.exitCode(), run.err());
    }
    assertEquals(List.of(), CommandRun.hidden(directory));
    assertTrue(isThere("mixed"));
    assertAnswers();
  }

  @Test
  void aKilledPreparationLeavesNoHalfCheckpoint() throws Exception {
    killAtEach();
    assertNextRunSweeps();
  }

  @Test
  void aKilledReplacementLeavesOneOfTheTwo() throws Exception {
    assertEquals(ExitCode.OK, CommandRun.of(arguments("bf16")).exitCode());
    killAtEach();
    assertNextRunSweeps();
  }
}
