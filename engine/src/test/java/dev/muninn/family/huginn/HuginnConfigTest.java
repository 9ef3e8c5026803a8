package dev.muninn.family.huginn;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.Fixture;
import dev.muninn.ModelFiles;
import dev.muninn.weights.CheckpointException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class HuginnConfigTest {
  /** The published file of Huginn-0125, with keys that say nothing about the shape. */
  private static final String PUBLISHED =
      """
      {
        "activation_checkpoint_impl": "per-iteration",
        "architecture_class_name": "RecurrentGPT",
        "architectures": ["RavenForCausalLM"],
        "auto_map": {"AutoConfig": "raven_config_minimal.HuginnConfig"},
        "bias": false,
        "block_class_name": "SandwichBlock",
        "block_size": 4096,
        "effective_expected_depth": 132,
        "head_dim": 96,
        "init_orthogonal": false,
        "init_strategy": "takase",
        "init_values": {"embed_scale": 72.66360849833398, "std": 0.008703882797784892},
        "injection_type": "linear",
        "intermediate_size": 17920,
        "mean_backprop_depth": 8,
        "mean_recurrence": 32,
        "mlp_class_name": "GatedMLP",
        "model_type": "huginn_raven",
        "n_embd": 5280,
        "n_heads": 55,
        "n_layers": 8,
        "n_layers_in_coda": 2,
        "n_layers_in_prelude": 2,
        "n_layers_in_recurrent_block": 4,
        "nonlin_name": "SiLU",
        "norm_class_name": "RMSNorm_llama",
        "norm_eps": 1e-06,
        "num_attention_heads": 55,
        "num_key_value_heads": 55,
        "padded_vocab_size": 65536,
        "padding_multiple": 4096,
        "qk_bias": true,
        "rope_base": 50000,
        "sampling_scheme": "poisson-lognormal-filling",
        "state_init": "like-init",
        "test_time_noise": 0,
        "tie_embeddings": true,
        "torch_dtype": "float32",
        "transformers_version": "4.44.2",
        "vocab_size": 65536
      }
      """;

  private static final HuginnConfig HUGINN =
      new HuginnConfig(5_280, 55, 17_920, 2, 4, 2, 32, 65_536, 4_096, 50_000, 1e-6, true, true);

  @TempDir Path directory;

  /** Keys and their values as JSON; the least that a file needs. */
  private final Map<String, String> values = new LinkedHashMap<>();

  @BeforeEach
  void smallestFile() {
    values.put("model_type", "\"huginn_raven\"");
    values.put("n_embd", "48");
    values.put("n_heads", "3");
    values.put("intermediate_size", "96");
    values.put("n_layers_in_prelude", "1");
    values.put("n_layers_in_recurrent_block", "2");
    values.put("n_layers_in_coda", "1");
    values.put("mean_recurrence", "4");
    values.put("vocab_size", "128");
    values.put("block_size", "64");
  }

  private HuginnConfig load() {
    return load(
        values.entrySet().stream()
            .map(entry -> '"' + entry.getKey() + "\": " + entry.getValue())
            .collect(Collectors.joining(",", "{", "}")));
  }

  private HuginnConfig load(String text) {
    try {
      Files.writeString(directory.resolve("config.json"), text);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
    return HuginnConfig.load(directory);
  }

  private static String assertOneLine(CheckpointException refusal) {
    String message = refusal.getMessage();
    assertEquals(1, message.lines().count(), message);
    return message;
  }

  private String refusal() {
    String message = assertOneLine(assertThrows(CheckpointException.class, this::load));
    assertTrue(message.startsWith(directory.resolve("config.json") + ": "), message);
    return message;
  }

  private static void assertSays(String message, String... parts) {
    for (String part : parts) {
      assertTrue(message.contains(part), () -> part + " in: " + message);
    }
  }

  @Test
  void publishedFile() {
    HuginnConfig config = load(PUBLISHED);
    assertEquals(HUGINN, config);
    assertEquals(96, config.headSize());
    assertEquals(132, config.effectiveDepth(32));
    assertEquals(0.008703882797784892, config.standardDeviation(), 1e-15);
  }

  @Test
  void smallestFileHasTheFamilysDefaults() {
    assertEquals(
        new HuginnConfig(48, 3, 96, 1, 2, 1, 4, 128, 64, 50_000, 1e-6, true, true), load());
  }

  @Test
  void filesOfTheTestModels() {
    assertEquals(
        new HuginnConfig(128, 4, 352, 1, 2, 1, 8, 272, 256, 50_000, 1e-6, true, true),
        HuginnConfig.load(ModelFiles.ravenTiny()));
    assertEquals(
        new HuginnConfig(48, 3, 96, 1, 2, 1, 4, 128, 64, 50_000, 1e-6, true, false),
        HuginnConfig.load(Fixture.directory("raven-1-2-1-untied")));
  }

  @Test
  void otherSpellings() {
    values.remove("n_heads");
    values.put("num_attention_heads", "3");
    assertEquals(3, load().heads());
    values.remove("vocab_size");
    values.put("padded_vocab_size", "144");
    assertEquals(144, load().vocabularySize());
    // The weights have a row for every padded entry.
    values.put("vocab_size", "130");
    assertEquals(144, load().vocabularySize());
    values.put("tie_word_embeddings", "false");
    assertFalse(load().tiedEmbeddings());
    values.put("tie_embeddings", "false");
    assertFalse(load().tiedEmbeddings());
    values.put("tie_embeddings", "true");
    values.remove("tie_word_embeddings");
    assertTrue(load().tiedEmbeddings());
  }

  @Test
  void valuesBesideTheShape() {
    values.put("rope_base", "10000");
    values.put("norm_eps", "1e-5");
    values.put("qk_bias", "false");
    values.put("tie_embeddings", "false");
    assertEquals(
        new HuginnConfig(48, 3, 96, 1, 2, 1, 4, 128, 64, 10_000, 1e-5, false, false), load());
  }

  @Test
  void unknownKeysAreIgnored() {
    HuginnConfig expected = load();
    values.put("auto_map", "{\"AutoConfig\": [1, null, {}]}");
    values.put("n_embeddings", "-7");
    values.put("", "\"\"");
    assertEquals(expected, load());
  }

  @Test
  void keysThatAreNullAreNotThere() {
    HuginnConfig expected = load();
    for (String key :
        new String[] {
          "head_dim", "num_key_value_heads", "n_layers", "padded_vocab_size", "rope_base", "bias"
        }) {
      values.put(key, "null");
    }
    values.put("tie_embeddings", "null");
    assertEquals(expected, load());
    values.put("tie_word_embeddings", "false");
    assertFalse(load().tiedEmbeddings());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "n_embd",
        "n_heads",
        "intermediate_size",
        "n_layers_in_prelude",
        "n_layers_in_recurrent_block",
        "n_layers_in_coda",
        "mean_recurrence",
        "vocab_size",
        "block_size"
      })
  void missingKeyIsNamed(String key) {
    values.put("num_key_value_heads", "3");
    values.put("head_dim", "16");
    values.put("n_layers", "4");
    load();
    values.remove(key);
    String message = refusal();
    assertSays(message, key, "missing");
    // What follows from the missing key is not a contradiction of its own.
    assertFalse(message.contains(";"), message);
  }

  @Test
  void allMissingKeysAreNamedAtOnce() {
    values.keySet().retainAll(Set.of("model_type", "n_heads"));
    assertSays(
        refusal(),
        "n_embd is missing",
        "intermediate_size is missing",
        "n_layers_in_prelude is missing",
        "n_layers_in_recurrent_block is missing",
        "n_layers_in_coda is missing",
        "mean_recurrence is missing",
        "vocab_size is missing",
        "block_size is missing");
  }

  @ParameterizedTest
  @CsvSource({
    "head_dim, 24, head_dim is 24 but n_embd / n_heads is 16",
    "n_layers, 5, n_layers is 5 but the sum of its parts is 4",
    "num_key_value_heads, 1, num_key_value_heads is 1 but n_heads is 3",
    "num_attention_heads, 6, num_attention_heads is 6 but n_heads is 3",
    "padded_vocab_size, 100, vocab_size 128 exceeds padded_vocab_size 100",
    "n_embd, 50, n_embd 50 is not a multiple of n_heads 3",
    "n_embd, 45, must be even for RoPE",
  })
  void contradictionsAreNamed(String key, String value, String said) {
    values.put(key, value);
    assertSays(refusal(), said);
  }

  @Test
  void contradictingTiesAreNamed() {
    values.put("tie_embeddings", "true");
    values.put("tie_word_embeddings", "false");
    assertSays(refusal(), "tie_embeddings is true but tie_word_embeddings is false");
  }

  @Test
  void severalProblemsAreOneLine() {
    values.put("head_dim", "24");
    values.put("n_layers", "9");
    values.remove("mean_recurrence");
    values.put("block_size", "\"long\"");
    String message = refusal();
    assertSays(message, "head_dim is 24", "n_layers is 9", "mean_recurrence", "block_size");
  }

  @ParameterizedTest
  @CsvSource(
      quoteCharacter = '\'',
      value = {
        "n_embd, '\"48\"'",
        "n_embd, 48.5",
        "n_embd, -48",
        "n_embd, 0",
        "n_embd, 16777232",
        "n_heads, 0",
        "n_heads, []",
        "intermediate_size, 123456789012345678901234567890",
        "n_layers_in_prelude, 0",
        "n_layers_in_recurrent_block, true",
        "n_layers_in_coda, {}",
        "mean_recurrence, 0",
        "vocab_size, 0",
        "block_size, 0",
        "rope_base, 0",
        "rope_base, -1",
        "rope_base, '\"big\"'",
        "norm_eps, -1",
        "norm_eps, '[1]'",
        "qk_bias, 1",
        "tie_embeddings, '\"yes\"'"
      })
  void valuesOutOfRangeAreNamed(String key, String value) {
    values.put(key, value);
    assertSays(refusal(), key);
  }

  /** What this engine would compute wrongly without a word. */
  @ParameterizedTest
  @CsvSource({
    "norm_class_name, LayerNorm",
    "block_class_name, TransformerPreNormBlock",
    "mlp_class_name, BaseMLP",
    "nonlin_name, GELU",
    "injection_type, add"
  })
  void otherArchitecturesAreRefused(String key, String value) {
    values.put(key, '"' + value + '"');
    assertSays(refusal(), key, value);
  }

  @Test
  void biasIsRefused() {
    values.put("bias", "true");
    assertSays(refusal(), "bias is true");
  }

  @Test
  void wrongModelType() {
    values.put("model_type", "\"llama\"");
    assertSays(refusal(), "model_type is \"llama\"", "expected \"huginn_raven\"");
    values.put("model_type", "\"a\\nb\\u0007\"");
    assertSays(refusal(), "model_type");
    values.put("model_type", "7");
    assertSays(refusal(), "model_type is 7");
    values.remove("model_type");
    assertSays(refusal(), "model_type is missing");
  }

  @Test
  void noDirectory() {
    Path missing = directory.resolve("nothing");
    String message =
        assertOneLine(assertThrows(CheckpointException.class, () -> HuginnConfig.load(missing)));
    assertEquals(missing + ": no such directory", message);
  }

  @Test
  void notDirectory() throws IOException {
    Path file = Files.writeString(directory.resolve("model.safetensors"), "");
    String message =
        assertOneLine(assertThrows(CheckpointException.class, () -> HuginnConfig.load(file)));
    assertSays(message, file.toString(), "not a directory");
  }

  @Test
  void noConfig() {
    String message =
        assertOneLine(assertThrows(CheckpointException.class, () -> HuginnConfig.load(directory)));
    assertSays(message, directory.toString(), "no config.json");
  }

  @Test
  void configIsDirectory() throws IOException {
    Files.createDirectory(directory.resolve("config.json"));
    assertOneLine(assertThrows(CheckpointException.class, () -> HuginnConfig.load(directory)));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "{",
        "[]",
        "null",
        "7",
        "not JSON\nat all",
        "{\"n_embd\": 48,}",
        "{\"n_embd\": 48} {}",
        "{\"n_embd\": 48, \"n_embd\": 64}",
        "{\"n_embd\": NaN}"
      })
  void noJson(String text) {
    String message = assertOneLine(assertThrows(CheckpointException.class, () -> load(text)));
    assertSays(message, directory.resolve("config.json").toString());
  }

  @Test
  void noUtf8() throws IOException {
    Files.write(
        directory.resolve("config.json"),
        "{\"model_type\": \"é\"}".getBytes(StandardCharsets.ISO_8859_1));
    assertOneLine(assertThrows(CheckpointException.class, () -> HuginnConfig.load(directory)));
  }

  @Test
  void recordsRefuseWhatFilesMayNotSay() {
    assertThrows(
        IllegalArgumentException.class,
        () -> new HuginnConfig(48, 5, 96, 1, 2, 1, 4, 128, 64, 50_000, 1e-6, true, true));
    assertThrows(
        IllegalArgumentException.class,
        () -> new HuginnConfig(48, 3, 96, 1, 2, 1, 4, 128, 64, Double.NaN, 1e-6, true, true));
    assertThrows(
        IllegalArgumentException.class,
        () -> new HuginnConfig(48, 3, 96, 1, 2, 1, 4, 128, 64, 50_000, Double.NaN, true, true));
  }

  @Test
  void effectiveDepthDoesNotOverflow() {
    assertEquals(4L * Integer.MAX_VALUE + 4, HUGINN.effectiveDepth(Integer.MAX_VALUE));
  }
}
