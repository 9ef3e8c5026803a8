package dev.muninn.text;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.weights.CheckpointException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class StopTokensTest {
  private static final int VOCABULARY = TokenizerFiles.RAVEN_TINY_VOCABULARY;

  @TempDir Path directory;

  @Test
  void contains() {
    StopTokens stops = StopTokens.of(260, 257, 260);
    assertTrue(stops.contains(257));
    assertTrue(stops.contains(260));
    assertFalse(stops.contains(258));
    assertFalse(stops.contains(-1));
    assertFalse(StopTokens.of().contains(0));
    assertEquals(StopTokens.of(257, 260), stops);
    assertThrows(IllegalArgumentException.class, () -> StopTokens.of(-1));
  }

  @Test
  void generationConfiguration() {
    assertLoaded(StopTokens.of(257, 260), TokenizerFiles.ravenTiny());
    write("generation_config.json", "{\"eos_token_id\": 7}");
    write("config.json", "{\"eos_token_id\": 9}");
    assertLoaded(StopTokens.of(7, 260), directory);
    assertEquals(StopTokens.of(7), StopTokens.load(directory, null, VOCABULARY));
    write("generation_config.json", "{\"eos_token_id\": []}");
    assertLoaded(StopTokens.of(260), directory);
  }

  @Test
  void namesWithoutGenerationConfiguration() {
    assertLoaded(StopTokens.of(257, 260), directory);
    write("config.json", "{\"eos_token_id\": 9}");
    assertLoaded(StopTokens.of(257, 260), directory);
    write("generation_config.json", "{\"eos_token_id\": null}");
    assertLoaded(StopTokens.of(257, 260), directory);
  }

  @Test
  void modelConfigurationWithoutNames() {
    assertEquals(StopTokens.of(), StopTokens.load(directory, null, VOCABULARY));
    write("config.json", "{\"eos_token_id\": [9, 3]}");
    assertEquals(StopTokens.of(3, 9), StopTokens.load(directory, null, VOCABULARY));
    new TokenizerFiles.Builder().special("</s>", 256).write(directory);
    try (Tokenizer tokenizer = Tokenizer.load(directory, VOCABULARY)) {
      assertEquals(StopTokens.of(3, 9), StopTokens.load(directory, tokenizer, VOCABULARY));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"272", "-1", "[3, 272]", "\"</s>\"", "2.5", "[null]", "true", "{}"})
  void refusesWhatIsNoToken(String value) {
    write("generation_config.json", "{\"eos_token_id\": " + value + "}");
    CheckpointException refusal =
        assertThrows(CheckpointException.class, () -> StopTokens.load(directory, null, VOCABULARY));
    assertTrue(
        refusal.getMessage().contains("generation_config.json: eos_token_id has "),
        refusal.getMessage());
  }

  private static void assertLoaded(StopTokens expected, Path directory) {
    try (Tokenizer tokenizer = TokenizerFiles.loadRavenTiny()) {
      assertEquals(expected, StopTokens.load(directory, tokenizer, VOCABULARY));
    }
  }

  private void write(String name, String content) {
    TokenizerFiles.write(directory.resolve(name), content);
  }

  @Test
  void theTokenizersEndToken() {
    new TokenizerFiles.Builder().special("<e>", 256).write(directory);
    Path config = directory.resolve("tokenizer_config.json");
    try (Tokenizer tokenizer = Tokenizer.load(directory, 300)) {
      TokenizerFiles.write(config, "{\"eos_token\": \"<e>\"}");
      assertEquals(StopTokens.of(256), StopTokens.load(directory, tokenizer, 300));
      TokenizerFiles.write(config, "{\"eos_token\": {\"content\": \"<e>\"}}");
      assertEquals(StopTokens.of(256), StopTokens.load(directory, tokenizer, 300));
      TokenizerFiles.write(config, "{\"eos_token\": null}");
      assertEquals(StopTokens.of(), StopTokens.load(directory, tokenizer, 300));
      for (String wrong : new String[] {"\"<none>\"", "7", "{\"content\": 7}"}) {
        TokenizerFiles.write(config, "{\"eos_token\": " + wrong + "}");
        assertThrows(
            CheckpointException.class, () -> StopTokens.load(directory, tokenizer, 300), wrong);
      }
    }
  }

  @Test
  void aFamilyCorrectsWhatItsFilesSay() {
    TokenizerFiles.write(directory.resolve("generation_config.json"), "{\"eos_token_id\": 0}");
    StopTokens stops =
        StopTokens.load(
            directory, null, 300, shipped -> shipped.contains(0) ? StopTokens.of(2) : shipped);
    assertEquals(StopTokens.of(2), stops);
  }
}
