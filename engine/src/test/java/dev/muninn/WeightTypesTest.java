package dev.muninn;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.muninn.ModelFiles.Content;
import dev.muninn.decode.InitialState;
import dev.muninn.serve.GenerationRequest;
import dev.muninn.serve.GenerationResult;
import dev.muninn.text.Prompt;
import dev.muninn.weights.DType;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The same weights in other types: the trained model's are BF16. */
class WeightTypesTest {
  /** Below this, F16 has fewer bits of fraction than BF16 at some places. */
  private static final float LEAST_NORMAL_F16 = 0x1p-14f;

  @TempDir Path directory;

  private Path copy(String name, UnaryOperator<Content> change) {
    return ModelFiles.copy(
        ModelFiles.ravenTiny(),
        directory.resolve(name),
        tensors -> tensors.replaceAll((tensor, content) -> change.apply(content)));
  }

  private static List<Double> logProbabilities(Path model) {
    int[] tokens = new SplittableRandom(1).ints(24, 0, 256).toArray();
    try (LanguageModel open = LanguageModel.load(model, new LoadOptions(2))) {
      return open.score(Prompt.tokens(tokens), 4, InitialState.random(1)).logProbabilities();
    }
  }

  private static void assertClose(List<Double> expected, List<Double> actual, double tolerance) {
    assertEquals(expected.size(), actual.size());
    for (int i = 0; i < expected.size(); i++) {
      assertEquals(expected.get(i), actual.get(i), tolerance, "token " + i);
    }
  }

  /** Pairs of 16-bit weights are added up in another order than single floats. */
  @Test
  void widenedToF32() {
    Path widened = copy("f32", content -> ModelFiles.converted(content, DType.F32));
    assertClose(logProbabilities(ModelFiles.ravenTiny()), logProbabilities(widened), 1e-3);
  }

  @Test
  void roundedToF16() {
    Path rounded = copy("f16", content -> ModelFiles.converted(content, DType.F16));
    assertClose(logProbabilities(ModelFiles.ravenTiny()), logProbabilities(rounded), 1e-2);
  }

  /** Weights that both types have: what is computed from them is the same to the last bit. */
  @Test
  void sameValuesInF16AndBf16() {
    UnaryOperator<Content> common =
        content -> {
          float[] values = ModelFiles.floats(content);
          for (int i = 0; i < values.length; i++) {
            if (Math.abs(values[i]) < LEAST_NORMAL_F16) {
              values[i] = 0;
            }
          }
          return ModelFiles.content(DType.BF16, content.shape(), values);
        };
    Path bf16 = copy("bf16", common);
    Path f16 = copy("f16", content -> ModelFiles.converted(common.apply(content), DType.F16));
    assertEquals(logProbabilities(bf16), logProbabilities(f16));
  }

  /** A checkpoint may have a type for each tensor. */
  @Test
  void mixedTypes() {
    DType[] types = {DType.F32, DType.F16, DType.BF16};
    int[] next = {0};
    Path mixed =
        copy("mixed", content -> ModelFiles.converted(content, types[next[0]++ % types.length]));
    assertClose(logProbabilities(ModelFiles.ravenTiny()), logProbabilities(mixed), 1e-2);
  }

  @ParameterizedTest
  @EnumSource(names = {"F32", "F16", "BF16"})
  void answers(DType dtype) {
    Path model = copy("model", content -> ModelFiles.converted(content, dtype));
    try (LanguageModel open = LanguageModel.load(model, new LoadOptions(1))) {
      GenerationResult result = open.generate(GenerationRequest.builder("47+8=").build());
      assertEquals(Optional.of("55"), result.text());
    }
  }
}
