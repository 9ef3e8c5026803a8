package dev.muninn.family;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.Fixture;
import dev.muninn.LanguageModel;
import dev.muninn.LoadOptions;
import dev.muninn.cache.KeyValueType;
import dev.muninn.decode.Cancellation;
import dev.muninn.decode.DecodingOptions;
import dev.muninn.decode.InitialState;
import dev.muninn.decode.Strategy;
import dev.muninn.serve.GenerationRequest;
import dev.muninn.text.Prompt;
import dev.muninn.trace.TraceListener;
import dev.muninn.trace.TraceRequest;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/** Models of every family, opened as a user opens them. */
class LoopedModelTest {
  static final List<String> NAMES = Fixture.FAMILIES;

  @TempDir private Path directory;

  private static LanguageModel open(String fixture) {
    return LanguageModel.load(Fixture.directory(fixture), new LoadOptions(2));
  }

  private static GenerationRequest.Builder request(Fixture fixture) {
    return GenerationRequest.builder(Prompt.tokens(fixture.tokens()))
        .initialState(InitialState.zero());
  }

  @ParameterizedTest
  @FieldSource("NAMES")
  void greedyTokensAreThoseOfTheIndependentImplementation(String name) {
    try (Fixture fixture = new Fixture(name);
        LanguageModel model = open(name)) {
      for (Map<String, Object> expected : fixture.cases("greedy")) {
        if (!"full".equals(expected.get("cache"))) {
          continue;
        }
        int[] tokens = Fixture.ints(expected, "new_tokens");
        GenerationRequest request =
            request(fixture)
                .recurrence(Fixture.integer(expected, "r"))
                .maxTokens(tokens.length)
                .ignoreEndOfSequence(true)
                .decoding(
                    DecodingOptions.defaults().withType(KeyValueType.F32))
                .build();
        int[] found =
            model.generate(request).tokens().stream().mapToInt(Integer::intValue).toArray();
        assertArrayEquals(
            tokens, found, "r = " + expected.get("r"));
      }
    }
  }

  /** A draft of few recurrences that all verify gives the plain answer, whatever the family. */
  @ParameterizedTest
  @FieldSource("NAMES")
  void speculationGivesThePlainAnswer(String name) {
    try (Fixture fixture = new Fixture(name);
        LanguageModel model = open(name)) {
      GenerationRequest.Builder plain = request(fixture).maxTokens(12).ignoreEndOfSequence(true);
      List<Integer> expected = model.generate(plain.build()).tokens();
      GenerationRequest speculative =
          plain
              .decoding(
                  DecodingOptions.defaults().withStrategy(new Strategy.Speculative(1, 3)))
              .build();
      assertEquals(expected, model.generate(speculative).tokens());
    }
  }

  @Test
  void whatWouldForgetTheTokenIsRefused() {
    try (Fixture fixture = new Fixture("families/ouro-f32");
        LanguageModel model = open("families/ouro-f32")) {
      GenerationRequest warm =
          request(fixture).decoding(DecodingOptions.defaults().withWarmStart(true)).build();
      String message =
          assertThrows(IllegalArgumentException.class, () -> model.generate(warm)).getMessage();
      assertTrue(message.startsWith("a warm start needs a model that sees its token"), message);
      GenerationRequest parallel =
          request(fixture)
              .decoding(DecodingOptions.defaults().withStrategy(Strategy.Parallel.defaults()))
              .build();
      message =
          assertThrows(IllegalArgumentException.class, () -> model.generate(parallel)).getMessage();
      assertTrue(message.startsWith("parallel sampling needs a model that sees"), message);
      TraceRequest starts =
          new TraceRequest(
              Prompt.tokens(fixture.tokens()),
              4,
              List.of(InitialState.random(0), InitialState.random(1)),
              5,
              DecodingOptions.defaults());
      message =
          assertThrows(
                  IllegalArgumentException.class,
                  () ->
                      model.trace(
                          starts,
                          directory.resolve("latents"),
                          TraceListener.NONE,
                          new Cancellation()))
              .getMessage();
      assertTrue(message.startsWith("several starts need a model that starts"), message);
    }
  }
}
