package dev.muninn.family.plain;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.muninn.LanguageModel;
import dev.muninn.LoadOptions;
import dev.muninn.family.nanbeige.NanbeigeFamily;
import dev.muninn.measure.RandomCheckpoint;
import dev.muninn.serve.GenerationRequest;
import dev.muninn.serve.GenerationResult;
import dev.muninn.text.Prompt;
import dev.muninn.weights.DType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A family that is added by a folder and a line in META-INF/services runs like any other. */
class PlainFamilyTest {
  @TempDir private Path directory;

  private static Map<String, Object> config(String type, String loops) {
    Map<String, Object> config = new LinkedHashMap<>();
    config.put("model_type", type);
    config.put("hidden_size", 48L);
    config.put("num_hidden_layers", 2L);
    config.put("num_attention_heads", 4L);
    config.put("num_key_value_heads", 2L);
    config.put("intermediate_size", 72L);
    config.put("vocab_size", 90L);
    config.put("max_position_embeddings", 64L);
    config.put("rms_norm_eps", 1e-5);
    config.put(loops, 3L);
    return config;
  }

  private static GenerationResult generate(Path model) {
    try (LanguageModel open = LanguageModel.load(model, new LoadOptions(1))) {
      return open.generate(GenerationRequest.builder(Prompt.tokens(1, 2, 3)).maxTokens(8).build());
    }
  }

  @Test
  void computesWhatTheSameLayersComputeElsewhere() throws IOException {
    Path plain = Files.createDirectory(directory.resolve("plain"));
    Path known = Files.createDirectory(directory.resolve("known"));
    RandomCheckpoint.of(new PlainFamily(), config("plain_loops", "loops"), DType.F32).write(plain);
    Map<String, Object> nanbeige = config("nanbeige", "num_loops");
    nanbeige.put("skip_loop_final_norm", true);
    RandomCheckpoint.of(new NanbeigeFamily(), nanbeige, DType.F32).write(known);
    GenerationResult result = generate(plain);
    assertEquals(8, result.tokens().size());
    assertEquals(3, result.recurrences().getFirst());
    assertEquals(generate(known).tokens(), result.tokens());
  }
}
