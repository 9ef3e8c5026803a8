package dev.muninn.cli.models;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.cli.CommandRun;
import dev.muninn.cli.process.ExitCode;
import dev.muninn.prepare.Preparation;
import dev.muninn.prepare.Recipe;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Pulls that prepare weights as they come. */
class PullPreparedTest {
  private static final String FIRST = "model-00001-of-00002.safetensors";
  private static final String SECOND = "model-00002-of-00002.safetensors";

  @TempDir private Path temporary;

  private Path source;
  private FakeHub hub;
  private Path target;

  @BeforeEach
  void startHub() throws IOException {
    source = Files.createDirectory(temporary.resolve("source"));
    FakeHub.shard(CommandRun.UNTIED, source);
    hub = FakeHub.of(source);
    target = temporary.resolve("models/raven/small");
  }

  @AfterEach
  void stopHub() throws IOException {
    hub.close();
  }

  private CommandRun run(String... arguments) {
    return CommandRun.run(
        new byte[0],
        new ByteArrayOutputStream(),
        Map.of(
            "HF_ENDPOINT",
            hub.server.address(),
            "MUNINN_MODELS",
            temporary.resolve("models").toString()),
        arguments);
  }

  private Map<String, Object> pull(String... more) throws IOException {
    CommandRun run =
        run(
            Stream.concat(Stream.of("pull", FakeHub.MODEL, "--json"), Stream.of(more))
                .toArray(String[]::new));
    assertEquals(ExitCode.OK, run.exitCode(), run.err());
    return new CommandRun(ExitCode.OK, run.out(), "").json();
  }

  private static List<String> names(Path directory) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files
          .map(file -> file.getFileName().toString())
          .filter(name -> !name.startsWith("."))
          .sorted()
          .toList();
    }
  }

  /** The files that pulls keep for themselves, beside locks and the manifest. */
  private List<String> kept() throws IOException {
    try (Stream<Path> files = Files.walk(target.resolve(".muninn-pull"))) {
      return files
          .filter(Files::isRegularFile)
          .map(file -> file.getFileName().toString())
          .filter(name -> name.contains(".partial"))
          .sorted()
          .toList();
    }
  }

  /** What was pulled is what a preparation of the checkpoint writes. */
  private void assertPrepared(String type) throws IOException {
    Path expected = Files.createTempDirectory(temporary, "expected");
    Preparation.prepare(source, expected, Recipe.of(type), bytes -> {});
    assertEquals(names(expected), names(target));
    for (String name : names(expected)) {
      assertArrayEquals(
          Files.readAllBytes(expected.resolve(name)),
          Files.readAllBytes(target.resolve(name)),
          name);
    }
    assertEquals(List.of(), kept());
  }

  @ParameterizedTest
  @ValueSource(strings = {"bf16", "q8", "q4", "mixed"})
  void shardsAreWhatAPreparationWrites(String type) throws IOException {
    Map<String, Object> said = pull("--quantize", type);
    assertEquals(type, said.get("prepared"));
    assertPrepared(type);
    CommandRun answer =
        run("generate", "-m", FakeHub.MODEL, "--prompt-tokens", "1,2", "-n", "3", "-r", "2");
    assertEquals(ExitCode.OK, answer.exitCode(), answer.err());
  }

  @Test
  void oneFileNeedsNoIndex() throws IOException {
    hub.files.keySet().removeIf(name -> name.contains("-of-") || name.endsWith("index.json"));
    hub.files.put(
        "model.safetensors", Files.readAllBytes(CommandRun.UNTIED.resolve("model.safetensors")));
    pull("--quantize", "q4");
    source = temporary.resolve("single");
    Files.createDirectory(source);
    for (String name : List.of("config.json", "model.safetensors")) {
      Files.copy(CommandRun.UNTIED.resolve(name), source.resolve(name));
    }
    assertPrepared("q4");
  }

  /** The disk never holds more than one file of the original. */
  @Test
  void aShardIsGoneWhenTheNextComes() throws IOException {
    List<String> there = new ArrayList<>();
    hub.fault(
        hub.file(SECOND),
        (request, out) -> {
          there.addAll(kept());
          hub.content(request, SECOND, out);
        });
    pull("--quantize", "q8");
    assertTrue(
        there.stream().noneMatch(name -> name.startsWith(FIRST) && name.endsWith(".partial")),
        there.toString());
    assertEquals(1, there.stream().filter(name -> name.startsWith(FIRST)).count());
    assertPrepared("q8");
  }

  @Test
  void whatWasPreparedBeforeAnInterruptionIsNotFetchedAgain() throws IOException {
    hub.fault(hub.file(SECOND), FakeHub.status("404 No"));
    CommandRun failed = run("pull", FakeHub.MODEL, "--quantize", "q8");
    assertEquals(ExitCode.FAILED, failed.exitCode());
    assertEquals(List.of(), names(target));
    int before = hub.requests(hub.file(FIRST)).size();
    Map<String, Object> said = pull("--quantize", "q8");
    assertEquals(before, hub.requests(hub.file(FIRST)).size());
    assertEquals((long) hub.files.get(SECOND).length, said.get("fetched_bytes"));
    assertPrepared("q8");
  }

  @Test
  void anInterruptedPullMayGoOnWithAnotherType() throws IOException {
    hub.fault(hub.file(SECOND), FakeHub.status("404 No"));
    assertEquals(ExitCode.FAILED, run("pull", FakeHub.MODEL, "--quantize", "q8").exitCode());
    pull("--quantize", "q4");
    assertPrepared("q4");
  }

  @Test
  void theSameIsNotFetchedTwice() throws IOException {
    pull("--quantize", "q8");
    int before = hub.server.requests().size();
    assertEquals(0L, pull("--quantize", "q8").get("fetched_bytes"));
    assertEquals(before + 1, hub.server.requests().size());
    assertPrepared("q8");
  }

  @Test
  void typesReplaceEachOther() throws IOException {
    pull("--quantize", "q8");
    pull("--quantize", "q4");
    assertPrepared("q4");
    pull();
    for (String name : names(source)) {
      assertArrayEquals(hub.files.get(name), Files.readAllBytes(target.resolve(name)), name);
    }
    pull("--quantize", "mixed");
    assertPrepared("mixed");
  }

  /** A model that cannot be prepared is refused in one line, and nothing gets a final name. */
  @Test
  void modelsThatDoNotFitAreOneLine() throws IOException {
    Path other = Files.createDirectory(temporary.resolve("other"));
    String config = Files.readString(source.resolve("config.json"));
    hub.files.put("config.json", FakeHub.utf8(config.replace("\"n_embd\": 48", "\"n_embd\": 96")));
    CommandRun failed = run("pull", FakeHub.MODEL, "--quantize", "q8", "--to", other.toString());
    assertEquals(ExitCode.FAILED, failed.exitCode());
    String last = failed.err().lines().toList().getLast();
    assertTrue(last.startsWith("muninn: ") && last.contains("head_dim is 16"), failed.err());
    assertTrue(last.contains(other.resolve("config.json") + ": "), failed.err());
    assertEquals(List.of(), names(other));
  }

  /** Not by the hidden name that a file has until all are there. */
  @Test
  void brokenWeightsAreNamed() throws IOException {
    hub.files.put(SECOND, FakeHub.utf8("these are no weights"));
    CommandRun failed = run("pull", FakeHub.MODEL, "--quantize", "q8");
    assertEquals(ExitCode.FAILED, failed.exitCode());
    String last = failed.err().lines().toList().getLast();
    assertTrue(last.startsWith("muninn: " + target.resolve(SECOND) + ": "), failed.err());
    assertEquals(List.of(), names(target));
  }

  @Test
  void typesThatAreNoneAreRefusedFirst() throws IOException {
    run("pull", FakeHub.MODEL, "--quantize", "q5").assertFails(ExitCode.USAGE, "--quantize");
    assertEquals(0, hub.server.requests().size());
  }
}
