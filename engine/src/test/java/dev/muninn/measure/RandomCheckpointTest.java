package dev.muninn.measure;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.LanguageModel;
import dev.muninn.LoadOptions;
import dev.muninn.family.huginn.HuginnConfig;
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
    RandomCheckpoint checkpoint = RandomCheckpoint.of(ModelShape.TINY, type);
    checkpoint.write(directory);
    try (LanguageModel model = LanguageModel.load(directory, new LoadOptions(1))) {
      assertEquals(checkpoint.model().toString(), model.architecture().toString());
      GenerationRequest request =
          GenerationRequest.builder(Prompt.tokens(1, 2, 3)).maxTokens(2).recurrence(2).build();
      assertEquals(2, model.generate(request).tokens().size());
      ForwardCost read = ForwardCost.of(model.architecture());
      assertEquals(
          ForwardCost.of(checkpoint.model()).recurrence().bytes(), read.recurrence().bytes());
      double mapped = model.checkpoint().mappedBytes();
      assertEquals(checkpoint.bytes(), mapped, 0.01 * mapped);
    }
  }

  @Test
  void untiedModelWithoutBiasRuns() throws IOException {
    HuginnConfig config =
        new HuginnConfig(48, 3, 40, 1, 2, 1, 4, 70, 32, 10_000, 1e-5, false, false);
    RandomCheckpoint.of(config, DType.F32).write(directory);
    assertEquals(config, HuginnConfig.load(directory));
    try (LanguageModel model = LanguageModel.load(directory, new LoadOptions(1))) {
      GenerationRequest request =
          GenerationRequest.builder(Prompt.tokens(1, 2, 3)).maxTokens(2).recurrence(2).build();
      assertEquals(2, model.generate(request).tokens().size());
    }
  }

  @ParameterizedTest
  @EnumSource
  void everyShapeHasTheSizeThatItSays(ModelShape shape) {
    RandomCheckpoint checkpoint = RandomCheckpoint.of(shape, DType.BF16);
    double expected =
        switch (shape) {
          case TINY -> 1.74e6;
          case SMALL -> 319e6;
          case MEDIUM -> 1.258e9;
          case HUGINN -> 7.13e9;
          case OURO -> 2.87e9;
          case NANBEIGE -> 8.42e9;
          case TINYLLAMA -> 1.69e9;
        };
    assertEquals(expected, checkpoint.bytes(), 0.02 * expected);
  }

  @Test
  void sameArgumentsGiveSameBytes() throws IOException {
    Path other = Files.createDirectory(directory.resolve("other"));
    RandomCheckpoint.of(ModelShape.TINY, DType.BF16).write(directory);
    RandomCheckpoint.of(ModelShape.TINY, DType.BF16).write(other);
    assertArrayEquals(
        Files.readAllBytes(directory.resolve(Checkpoint.SINGLE_FILE)),
        Files.readAllBytes(other.resolve(Checkpoint.SINGLE_FILE)));
  }

  @Test
  void temporaryDirectoryIsGoneWhenClosed() throws IOException {
    Path path;
    try (TemporaryDirectory temporary = new TemporaryDirectory()) {
      path = temporary.path();
      Files.writeString(Files.createDirectory(path.resolve("a")).resolve("b"), "c");
      assertTrue(Files.exists(path));
    }
    assertTrue(Files.notExists(path));
  }
}
