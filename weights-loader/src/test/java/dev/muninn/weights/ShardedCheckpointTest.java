package dev.muninn.weights;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Rule 7: the index and its shards. */
class ShardedCheckpointTest {
  private static final String FIRST = "model-00001-of-00002.safetensors";
  private static final String SECOND = "model-00002-of-00002.safetensors";

  @TempDir Path directory;

  /** Writes a shard of scalars; each is the length of its name. */
  private static Path shard(Path file, String... tensors) {
    SafetensorsWriter writer = new SafetensorsWriter(file).metadata("format", "pt");
    for (String tensor : tensors) {
      writer.add(
          tensor, DType.F32, List.of(), MemorySegment.ofArray(new float[] {tensor.length()}));
    }
    writer.write();
    return file;
  }

  private Path shard(String name, String... tensors) {
    return shard(directory.resolve(name), tensors);
  }

  private Path index(Map<String, String> shardOfTensor) throws IOException {
    return indexText(
        new TreeMap<>(shardOfTensor)
            .entrySet().stream()
                .map(mapped -> "\"" + mapped.getKey() + "\":\"" + mapped.getValue() + "\"")
                .collect(Collectors.joining(",", "{\"weight_map\":{", "}}")));
  }

  private Path indexText(String text) throws IOException {
    return Files.writeString(directory.resolve(Checkpoint.INDEX_FILE), text);
  }

  private String refusal(String... texts) {
    return Bytes.refusal(() -> Checkpoint.open(directory).close(), texts);
  }

  @Test
  void allShardsAreMapped() throws IOException {
    Path second = shard(SECOND, "ccc", "dddd");
    Path first = shard(FIRST, "bb", "a");
    indexText(
        """
        {"metadata": {"total_size": 16, "nested": {"x": [1.5, null]}}, "other": [],
         "weight_map": {"dddd": "%2$s", "ccc": "%2$s", "bb": "%1$s", "a": "%1$s"}}
        """
            .formatted(FIRST, SECOND));
    try (Checkpoint checkpoint = Checkpoint.open(directory)) {
      assertEquals(List.of("a", "bb", "ccc", "dddd"), List.copyOf(checkpoint.tensors().keySet()));
      assertEquals(List.of(first, second), checkpoint.files());
      assertEquals(Files.size(first) + Files.size(second), checkpoint.mappedBytes());
      assertEquals(second, checkpoint.tensor("ccc").file());
      assertEquals(Map.of("format", "pt"), checkpoint.metadata(second));
      for (Tensor tensor : checkpoint.tensors().values()) {
        assertEquals(tensor.name().length(), tensor.get(0));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        ".",
        "..",
        "../x.safetensors",
        "/etc/passwd",
        "sub/x.safetensors",
        "./x.safetensors",
        "x.safetensors/",
        "/",
        "\\\\",
        "..\\\\x.safetensors",
        "C:\\\\x.safetensors",
        "x\\u0000",
        "\\\\\\\\host\\\\x"
      })
  void shardsMustBeBareNames(String name) throws IOException {
    Path index = index(Map.of("a", name));
    refusal(index + ": tensor \"a\": found shard \"", "the bare name of a file");
  }

  @Test
  void endlessNamesAreRefused() throws IOException {
    index(Map.of("a", "x".repeat(256)));
    refusal("found shard \"xxx", "(256 characters)");
  }

  @Test
  void namesThatOnlyLookOddAreAccepted() throws IOException {
    for (String name : List.of("..x", "x..safetensors", "...", " ", "größe 雪", "x\u202e")) {
      shard(name, "a");
      index(Map.of("a", name));
      Checkpoint.open(directory).close();
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{}",
        "{\"weight_map\":null}",
        "{\"weight_map\":[]}",
        "{\"weight_map\":\"x\"}",
        "{\"weight_map\":{\"a\":1}}",
        "{\"weight_map\":{\"a\":null}}",
        "{\"weight_map\":{\"a\":[\"x\"]}}",
        "{\"weight_map\":{},\"metadata\":1}",
        "{\"weight_map\":{},\"metadata\":null}",
        "{\"weight_map\":{},\"weight_map\":{}}",
        "{\"weight_map\":{\"a\":\"x\",\"a\":\"x\"}}",
        "[]",
        "",
        "{\"weight_map\":{}",
        "{\"weight_map\":{}} x"
      })
  void otherIndexesAreRefused(String text) throws IOException {
    Path index = indexText(text);
    refusal(index + ": ");
  }

  @Test
  void anIndexOfNothingIsAnEmptyCheckpoint() throws IOException {
    indexText("{\"weight_map\":{}}");
    try (Checkpoint checkpoint = Checkpoint.open(directory)) {
      assertEquals(Map.of(), checkpoint.tensors());
      assertEquals(0, checkpoint.mappedBytes());
    }
  }

  @Test
  void aMissingShardIsNamedWithItsTensors() throws IOException {
    shard(FIRST, "a");
    index(Map.of("a", FIRST, "b", SECOND, "c", SECOND, "d", "model-3.safetensors"));
    refusal(
        directory.resolve(SECOND) + ": found no such file (2 of 3 shards are missing)",
        "expected a shard with 2 tensors, by model.safetensors.index.json");
  }

  @Test
  void mappedTensorsMustBeInTheirShard() throws IOException {
    Path first = shard(FIRST, "a");
    index(Map.of("a", FIRST, "b", FIRST));
    refusal(first + ": tensor \"b\": found no such tensor in the file");
  }

  @Test
  void tensorsOfShardsMustBeMapped() throws IOException {
    Path first = shard(FIRST, "a", "extra");
    index(Map.of("a", FIRST));
    refusal(first + ": tensor \"extra\": found a tensor that ", "does not map");
  }

  @Test
  void noTensorMayBeInTwoShards() throws IOException {
    shard(FIRST, "a");
    Path second = shard(SECOND, "a", "b");
    index(Map.of("a", FIRST, "b", SECOND));
    refusal(second + ": tensor \"a\": found a tensor that ", "maps to " + FIRST);
  }

  @Test
  void tensorsMayNotBeInAnotherShardThanMapped() throws IOException {
    Path first = shard(FIRST, "b");
    shard(SECOND, "a");
    index(Map.of("a", FIRST, "b", SECOND));
    refusal(first + ": tensor \"b\": found a tensor that ", "maps to " + SECOND);
  }

  @Test
  void badShardsAreNamed() throws IOException {
    shard(FIRST, "a");
    Path second = Files.write(directory.resolve(SECOND), new byte[7]);
    index(Map.of("a", FIRST, "b", SECOND));
    refusal(second + ": found a file of 7 bytes, expected at least 8");
  }

  @Test
  void linksOutOfTheDirectoryAreFollowed(@TempDir Path elsewhere) throws IOException {
    Path outside = shard(elsewhere.resolve("x.safetensors"), "a");
    Path link = directory.resolve(FIRST);
    index(Map.of("a", FIRST));
    for (Path target : List.of(outside, link.toAbsolutePath().getParent().relativize(outside))) {
      Files.createSymbolicLink(link, target);
      Checkpoint.open(directory).close();
      Files.delete(link);
    }
  }

  /** As the Hugging Face cache lays them out: every file is a link to content named by its hash. */
  @Test
  void aCacheOfLinksToBlobsIsOpened() throws IOException {
    Path blobs = Files.createDirectory(directory.resolve("blobs"));
    Path snapshot = Files.createDirectories(directory.resolve("snapshots/abc"));
    shard(blobs.resolve("1".repeat(64)), "a");
    shard(blobs.resolve("2".repeat(64)), "b");
    Files.writeString(
        blobs.resolve("3".repeat(40)),
        "{\"weight_map\":{\"a\":\"" + FIRST + "\",\"b\":\"" + SECOND + "\"}}");
    Path up = Path.of("..", "..", "blobs");
    Files.createSymbolicLink(snapshot.resolve(FIRST), up.resolve("1".repeat(64)));
    Files.createSymbolicLink(snapshot.resolve(SECOND), up.resolve("2".repeat(64)));
    Files.createSymbolicLink(snapshot.resolve(Checkpoint.INDEX_FILE), up.resolve("3".repeat(40)));
    try (Checkpoint checkpoint = Checkpoint.open(snapshot)) {
      assertEquals(List.of("a", "b"), List.copyOf(checkpoint.tensors().keySet()));
      checkpoint.verifyUnchanged();
    }
  }

  @Test
  void linksWithinTheDirectoryAreFollowed() throws IOException {
    Path real = shard("real", "a");
    Files.createSymbolicLink(directory.resolve(FIRST), real.getFileName());
    index(Map.of("a", FIRST));
    Checkpoint.open(directory).close();
  }

  @Test
  void theDirectoryItselfMayBeALink(@TempDir Path elsewhere) throws IOException {
    shard(FIRST, "a");
    index(Map.of("a", FIRST));
    Path link = Files.createSymbolicLink(elsewhere.resolve("link"), directory);
    try (Checkpoint checkpoint = Checkpoint.open(link)) {
      assertEquals(List.of(link.resolve(FIRST)), checkpoint.files());
    }
    Files.delete(link);
  }

  @Test
  void brokenLinksAreMissingShards() throws IOException {
    Files.createSymbolicLink(directory.resolve(FIRST), Path.of("nowhere"));
    index(Map.of("a", FIRST));
    refusal(directory.resolve(FIRST) + ": found no such file", "a shard with 1 tensor,");
  }

  @Test
  void pipesAsShardsAreRefusedWithoutBeingOpened() throws Exception {
    Path pipe = directory.resolve(FIRST);
    assumeTrue(CheckpointTest.makePipe(pipe), "no mkfifo here");
    index(Map.of("a", FIRST));
    assertTimeoutPreemptively(
        Duration.ofSeconds(10), () -> refusal(pipe + ": found a pipe, socket or device"));
  }
}
