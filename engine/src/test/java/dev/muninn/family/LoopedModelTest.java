package dev.muninn.family;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.Fixture;
import dev.muninn.LanguageModel;
import dev.muninn.LoadOptions;
import dev.muninn.cache.KeyValueType;
import dev.muninn.decode.Cancellation;
import dev.muninn.decode.DecodingOptions;
import dev.muninn.decode.ExitCriteria;
import dev.muninn.decode.ExitOptions;
import dev.muninn.decode.InitialState;
import dev.muninn.decode.Strategy;
import dev.muninn.serve.GenerationRequest;
import dev.muninn.serve.GenerationResult;
import dev.muninn.serve.Outcome;
import dev.muninn.text.Prompt;
import dev.muninn.trace.TraceListener;
import dev.muninn.trace.TraceRequest;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;
import org.junit.jupiter.params.provider.ValueSource;

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
                .decoding(DecodingOptions.defaults().withType(KeyValueType.F32))
                .build();
        assertEquals(boxed(tokens), model.generate(request).tokens(), "r = " + expected.get("r"));
      }
    }
  }

  /** Rows leave when the learned gate says so, in the prompt too or only behind it. */
  @ParameterizedTest
  @ValueSource(strings = {"families/ouro-f32", "families/ouro-bf16"})
  void gateIsThatOfTheIndependentImplementation(String name) {
    try (Fixture fixture = new Fixture(name);
        LanguageModel model = open(name)) {
      int length = fixture.tokens().length;
      for (Map<String, Object> expected : fixture.cases("gate")) {
        boolean inPrompt = (Boolean) expected.get("exit_in_prompt");
        ExitOptions exit =
            new ExitOptions(
                Optional.of(ExitCriteria.parse("gate:" + expected.get("threshold"))),
                1,
                1,
                inPrompt ? ExitOptions.Prefill.ROW : ExitOptions.Prefill.NONE);
        int[] tokens = Fixture.ints(expected, "new_tokens");
        GenerationRequest request =
            request(fixture)
                .recurrence(Fixture.integer(expected, "max_r"))
                .maxTokens(tokens.length)
                .ignoreEndOfSequence(true)
                .decoding(DecodingOptions.defaults().withType(KeyValueType.F32).withExit(exit))
                .build();
        GenerationResult alone = model.generate(request);
        String what = expected.get("threshold") + (inPrompt ? ", prompt too" : "");
        assertEquals(boxed(tokens), alone.tokens(), what);
        List<Integer> depths = boxed(Fixture.ints(expected, "recurrences_by_position"));
        assertEquals(
            depths.subList(length, depths.size()),
            alone.recurrences().subList(1, alone.recurrences().size()),
            what);
        if (inPrompt) {
          assertEquals(depths.subList(0, length), alone.promptRecurrences(), what);
        }
        List<Outcome<GenerationResult>> batch =
            model.generateAll(
                List.of(request, request, request), 2, (result, i) -> {}, new Cancellation());
        for (Outcome<GenerationResult> one : batch) {
          assertEquals(alone.tokens(), one.orElseThrow().tokens(), what);
          assertEquals(alone.recurrences(), one.orElseThrow().recurrences(), what);
        }
      }
    }
  }

  private static List<Integer> boxed(int[] values) {
    return Arrays.stream(values).boxed().toList();
  }

  @Test
  void gateOfAModelWithoutOneIsRefused() {
    try (Fixture fixture = new Fixture("families/nanbeige-f32");
        LanguageModel model = open("families/nanbeige-f32")) {
      GenerationRequest request =
          request(fixture)
              .decoding(
                  DecodingOptions.defaults().withExit(ExitOptions.of(ExitCriteria.parse("gate"))))
              .build();
      String message =
          assertThrows(IllegalArgumentException.class, () -> model.generate(request)).getMessage();
      assertTrue(message.contains("this model has none"), message);
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
              .decoding(DecodingOptions.defaults().withStrategy(new Strategy.Speculative(1, 3)))
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
      assertTrue(message.startsWith("a warm start would hide the token"), message);
      GenerationRequest parallel =
          request(fixture)
              .decoding(DecodingOptions.defaults().withStrategy(Strategy.Parallel.defaults()))
              .build();
      message =
          assertThrows(IllegalArgumentException.class, () -> model.generate(parallel)).getMessage();
      assertTrue(message.startsWith("parallel sampling replaces tokens"), message);
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
      assertTrue(message.contains("it has one start, not 2"), message);
    }
  }
}
