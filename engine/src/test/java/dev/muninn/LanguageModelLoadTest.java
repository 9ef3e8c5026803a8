package dev.muninn;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.weights.CheckpointException;
import dev.muninn.weights.DType;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What loading opens is closed again: with the model, or at once where loading fails. */
class LanguageModelLoadTest {
  @TempDir Path directory;
  private Set<Thread> before;

  @BeforeEach
  void look() {
    before = teamThreads();
  }

  private static Set<Thread> teamThreads() {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(thread -> thread.getName().matches("muninn-\\d+"))
        .collect(Collectors.toSet());
  }

  private int newThreads() {
    Set<Thread> now = teamThreads();
    now.removeAll(before);
    return now.size();
  }

  /** Whether this process has a file of the directory mapped, as the system tells. */
  private boolean mapped() throws IOException {
    return Files.readString(Path.of("/proc/self/maps"), StandardCharsets.ISO_8859_1)
        .contains(directory.toRealPath().toString());
  }

  private Path copy() {
    return ModelFiles.copy(ModelFiles.ravenTiny(), directory.resolve("model"), tensors -> {});
  }

  private void assertRefused(Path model, String... parts) throws IOException {
    String message =
        assertThrows(CheckpointException.class, () -> LanguageModel.load(model, new LoadOptions(3)))
            .getMessage();
    assertEquals(1, message.lines().count(), message);
    for (String part : parts) {
      assertTrue(message.contains(part), () -> part + " in: " + message);
    }
    assertFalse(mapped(), "a file is still mapped");
    assertEquals(0, newThreads());
  }

  @Test
  @EnabledOnOs(OS.LINUX)
  void closingUnmapsFilesAndEndsThreads() throws IOException {
    Path model = copy();
    LanguageModel open = LanguageModel.load(model, new LoadOptions(3));
    assertTrue(mapped());
    assertEquals(2, newThreads());
    assertTrue(open.tokenizer().isPresent());
    assertTrue(open.loadNanos() > 0);
    assertTrue(open.backendName().contains("3 threads"), open.backendName());
    assertEquals(model, open.checkpoint().directory());
    open.close();
    assertFalse(mapped());
    assertEquals(0, newThreads());
  }

  @Test
  @EnabledOnOs(OS.LINUX)
  void weightsThatDoNotFit() throws IOException {
    Path model =
        ModelFiles.copy(
            ModelFiles.ravenTiny(),
            directory.resolve("model"),
            tensors -> tensors.put("transformer.ln_f.weight", ModelFiles.zeros(DType.BF16, 127L)));
    assertRefused(model, "transformer.ln_f.weight", "[127]", "[128]");
  }

  @Test
  @EnabledOnOs(OS.LINUX)
  void tokenizerThatIsNone() throws IOException {
    Path model = copy();
    Files.writeString(model.resolve("tokenizer.json"), "{}");
    assertRefused(model, "tokenizer.json");
  }

  @Test
  @EnabledOnOs(OS.LINUX)
  void endOfSequenceBeyondTheVocabulary() throws IOException {
    Path model = copy();
    Files.writeString(model.resolve("generation_config.json"), "{\"eos_token_id\": 272}");
    assertRefused(model, "generation_config.json", "272");
  }

  @Test
  @EnabledOnOs(OS.LINUX)
  void truncatedWeights() throws IOException {
    Path model = copy();
    Path file = model.resolve("model.safetensors");
    byte[] bytes = Files.readAllBytes(file);
    Files.write(file, Arrays.copyOf(bytes, bytes.length - 1));
    assertRefused(model, "model.safetensors");
  }

  @Test
  @EnabledOnOs(OS.LINUX)
  void noWeights() throws IOException {
    Path model = copy();
    Files.delete(model.resolve("model.safetensors"));
    assertRefused(model, "model.safetensors");
  }

  @Test
  @EnabledOnOs(OS.LINUX)
  void otherModel() throws IOException {
    Path model = copy();
    Path file = model.resolve("config.json");
    Files.writeString(file, Files.readString(file).replace("huginn_raven", "gpt2"));
    assertRefused(model, "model_type is \"gpt2\"");
  }

  @Test
  void defaultsAreOneThreadPerCore() {
    assertTrue(LoadOptions.defaults().threads() >= 1);
    try (LanguageModel model = LanguageModel.load(Fixture.directory("raven-1-2-1-untied"))) {
      assertEquals(48, model.architecture().width());
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, -1})
  void threadsMustBePositive(int threads) {
    String message =
        assertThrows(IllegalArgumentException.class, () -> new LoadOptions(threads)).getMessage();
    assertEquals("threads must be from 1 to 4096, not " + threads, message);
  }
}
