package dev.muninn.measure;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.LanguageModel;
import dev.muninn.LoadOptions;
import dev.muninn.model.RavenConfig;
import dev.muninn.serve.GenerationRequest;
import dev.muninn.text.Prompt;
import dev.muninn.weights.Checkpoint;
import dev.muninn.weights.DType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class RandomCheckpointTest {
  @TempDir private Path directory;

  @ParameterizedTest
  @EnumSource(names = {"F32", "F16", "BF16"})
  void modelRuns(DType type) throws IOException {
    RavenConfig config = ModelShape.TINY.config();
    RandomCheckpoint.write(config, type, directory);
    assertEquals(config, RavenConfig.load(directory));
    try (LanguageModel model = LanguageModel.load(directory, new LoadOptions(1))) {
      GenerationRequest request =
          GenerationRequest.builder(Prompt.tokens(1, 2, 3)).maxTokens(2).recurrence(2).build();
      assertEquals(2, model.generate(request).tokens().size());
      ForwardCost read = ForwardCost.of(config, model.checkpoint());
      assertEquals(
          ForwardCost.of(config, type).recurrence().bytes(), read.recurrence().bytes(), 4096);
      double mapped = model.checkpoint().mappedBytes();
      assertEquals(RandomCheckpoint.bytes(config, type), mapped, 0.01 * mapped);
    }
  }

  @Test
  void untiedModelWithoutBiasRuns() throws IOException {
    RavenConfig config = new RavenConfig(48, 3, 40, 1, 2, 1, 4, 70, 32, 10_000, 1e-5, false, false);
    RandomCheckpoint.write(config, DType.F32, directory);
    assertEquals(config, RavenConfig.load(directory));
    try (LanguageModel model = LanguageModel.load(directory, new LoadOptions(1))) {
      GenerationRequest request =
          GenerationRequest.builder(Prompt.tokens(1, 2, 3)).maxTokens(2).recurrence(2).build();
      assertEquals(2, model.generate(request).tokens().size());
    }
  }

  @Test
  void sameArgumentsGiveSameBytes() throws IOException {
    Path other = Files.createDirectory(directory.resolve("other"));
    RandomCheckpoint.write(ModelShape.TINY.config(), DType.BF16, directory);
    RandomCheckpoint.write(ModelShape.TINY.config(), DType.BF16, other);
    assertArrayEquals(
        Files.readAllBytes(directory.resolve(Checkpoint.SINGLE_FILE)),
        Files.readAllBytes(other.resolve(Checkpoint.SINGLE_FILE)));
  }

  @Test
  void temporaryDirectoryIsGoneWhenClosed() throws IOException {
    Path path;
    try (TemporaryDirectory temporary = new TemporaryDirectory("muninn-test")) {
      path = temporary.path();
      Files.writeString(Files.createDirectory(path.resolve("a")).resolve("b"), "c");
      assertTrue(Files.exists(path));
    }
    assertTrue(Files.notExists(path));
  }
}
