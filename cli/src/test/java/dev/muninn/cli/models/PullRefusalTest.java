package dev.muninn.cli.models;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.cli.CommandRun;
import dev.muninn.weights.Checkpoint;
import dev.muninn.weights.CheckpointException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Repositories that nothing here opens, and folders that hold two revisions. */
class PullRefusalTest {
  private static final String SECOND = "model-00002-of-00002.safetensors";
  @TempDir private Path temporary;
  private FakeHub hub;
  private Path target;

  @BeforeEach
  void startHub() throws IOException {
    Path source = Files.createDirectory(temporary.resolve("source"));
    FakeHub.shard(CommandRun.UNTIED, source);
    hub = FakeHub.of(source);
    target = temporary.resolve("target");
  }

  @AfterEach
  void stopHub() throws IOException {
    hub.close();
  }

  private CommandRun command(String... arguments) {
    return CommandRun.run(
        new byte[0],
        new ByteArrayOutputStream(),
        Map.of("HF_ENDPOINT", hub.server.address(), "MUNINN_MODELS", temporary + "/models"),
        arguments);
  }

  private CommandRun pull() {
    return command("pull", FakeHub.MODEL, "--to", target.toString());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          a.safetensors b.safetensors config.json        | has a.safetensors and 1 more, but no model.safetensors and no index
          consolidated.safetensors config.json           | has consolidated.safetensors, but no model.safetensors and no index
          adapter_model.safetensors adapter_config.json  | is an adapter to another model
          adapter_model.safetensors config.json adapter_config.json | is an adapter to another model
          pytorch_model.bin config.json                  | has no *.safetensors, but pytorch_model.bin
          small-q4.gguf big-q8.gguf config.json          | has no *.safetensors, but big-q8.gguf and 1 more
          small-q4.gguf                                  | has no config.json
          config.json tokenizer.json                     | has no *.safetensors:
          model.safetensors                              | has no config.json
          model.safetensors.index.json config.json       | has no *.safetensors
          """)
  void whatCannotBeOpenedIsNotFetched(String files, String found) {
    for (FakeHub.Style style : new FakeHub.Style[] {FakeHub.Style.BLOBS, FakeHub.Style.TREE}) {
      hub.style = style;
      hub.files.clear();
      for (String file : files.strip().split(" ")) {
        hub.files.put(file, new byte[10]);
      }
      CommandRun run = pull();
      run.assertFails(1, "raven/small " + found);
      assertFalse(Files.exists(target));
      assertTrue(
          hub.server.requests().stream().noneMatch(r -> r.target().contains("/resolve/")),
          "nothing was fetched");
    }
  }

  @Test
  void otherFamiliesAreRefusedBeforeTheirWeightsAreFetched() {
    for (String config :
        new String[] {"{\"model_type\": \"llama\"}", "{}", "{\"model_type\": 1}"}) {
      hub.files.put("config.json", FakeHub.utf8(config));
      CommandRun run = pull();
      assertTrue(run.err().contains("muninn: raven/small: config.json: model_type is "), run.err());
      assertEquals(1, run.exitCode());
      assertTrue(
          hub.server.requests().stream().noneMatch(r -> r.target().endsWith(".safetensors")),
          "no weights were fetched");
    }
  }

  @Test
  void templatesAndAllThatTokenizersNeedIsFetched() {
    for (String name :
        new String[] {
          "chat_template.jinja",
          "generation_config.json",
          "tokenizer_config.json",
          "special_tokens_map.json",
          "tokenizer.json"
        }) {
      hub.files.put(name, FakeHub.utf8("{}"));
    }
    assertEquals(0, pull().exitCode());
    for (String name : hub.files.keySet()) {
      boolean needed = !name.matches("README.md|.*\\.bin|.*\\.py|original/.*");
      assertEquals(needed, Files.exists(target.resolve(name)), name);
    }
  }

  @Test
  void halfARevisionIsNotOpened() throws IOException {
    assertEquals(0, pull().exitCode());
    Checkpoint.open(target).close();
    byte[] before = hub.files.get("config.json");
    byte[] changed =
        (new String(before, StandardCharsets.UTF_8) + "\n").getBytes(StandardCharsets.UTF_8);
    hub.files.put("config.json", changed);
    hub.files.put("tokenizer.json", FakeHub.utf8("{}"));
    // The last file of all cannot be moved to its name: as if the pull had been stopped there.
    Files.move(target.resolve(SECOND), temporary.resolve("kept"));
    Files.createDirectories(target.resolve(SECOND).resolve("in the way"));
    assertEquals(1, pull().exitCode());
    assertArrayEquals(changed, Files.readAllBytes(target.resolve("config.json")));
    Files.delete(target.resolve(SECOND).resolve("in the way"));
    Files.delete(target.resolve(SECOND));
    Files.move(temporary.resolve("kept"), target.resolve(SECOND));
    String message =
        assertThrows(CheckpointException.class, () -> Checkpoint.open(target).close()).getMessage();
    assertTrue(message.contains("found a pull that was stopped while it moved files"), message);
    command("inspect", target.toString()).assertFails(1, "its pull was not completed");
    // The next pull repairs it, and removes what only the first revision had.
    hub.files.remove("tokenizer.json");
    hub.files.put("config.json", before);
    CommandRun run = pull();
    assertEquals(0, run.exitCode(), run.err());
    Checkpoint.open(target).close();
    assertFalse(Files.exists(target.resolve(".muninn-pull/unfinished.json")));
  }

  @Test
  void removalsThatWereStoppedGoOn() throws IOException {
    String[] pull = {"pull", FakeHub.MODEL};
    assertEquals(0, command(pull).exitCode());
    Path owner = temporary.resolve("models/raven");
    Path half = Files.createDirectory(owner.resolve(".removed-1234"));
    Files.writeString(half.resolve("model.safetensors"), "much");
    assertEquals(0, command("models").exitCode());
    assertFalse(Files.exists(half));
    assertTrue(Files.exists(owner.resolve("small/config.json")));
  }
}
