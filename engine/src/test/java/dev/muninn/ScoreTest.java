package dev.muninn;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.backend.Backend;
import dev.muninn.cache.KeyValueLayout;
import dev.muninn.cache.SlotPolicy;
import dev.muninn.decode.InitialState;
import dev.muninn.decode.SequenceForward;
import dev.muninn.serve.GenerationRequest;
import dev.muninn.serve.Score;
import dev.muninn.text.Prompt;
import dev.muninn.vector.VectorBackendProvider;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Log-probabilities of given tokens. */
class ScoreTest {
  static final List<String> FIXTURES = Fixture.NAMES;

  /** Token by token through the cache, the logarithm of the softmax in doubles. */
  private static List<Double> fromLogits(
      Fixture fixture, int[] tokens, int recurrence, InitialState state) {
    List<Double> values = new ArrayList<>();
    KeyValueLayout layout =
        new KeyValueLayout(fixture.model(), SlotPolicy.full(), recurrence, tokens.length);
    try (Backend backend = fixture.open(new VectorBackendProvider(), 1);
        SequenceForward sequence =
            new SequenceForward(backend, layout, recurrence, 1, state, () -> false)) {
      for (int i = 0; i + 1 < tokens.length; i++) {
        sequence.append(tokens[i]);
        float[] logits = sequence.logits();
        double sum = 0;
        for (float logit : logits) {
          sum += Math.exp(logit);
        }
        values.add(logits[tokens[i + 1]] - Math.log(sum));
      }
    }
    return values;
  }

  @ParameterizedTest
  @FieldSource("FIXTURES")
  void logProbabilitiesAreThoseOfTheLogits(String name) {
    try (Fixture fixture = new Fixture(name);
        LanguageModel model = LanguageModel.load(Fixture.directory(name), new LoadOptions(2))) {
      int[] tokens = fixture.tokens();
      for (InitialState state : List.of(InitialState.zero(), InitialState.random(3))) {
        Score score = model.score(Prompt.tokens(tokens), 3, state);
        List<Double> expected = fromLogits(fixture, tokens, 3, state);
        assertEquals(Arrays.stream(tokens).boxed().toList(), score.tokens());
        assertEquals(tokens.length - 1, score.logProbabilities().size());
        double sum = 0;
        for (int i = 0; i < expected.size(); i++) {
          assertEquals(expected.get(i), score.logProbabilities().get(i), 1e-9, "token " + i);
          sum += expected.get(i);
        }
        assertEquals(sum, score.logLikelihood(), 1e-9);
        assertEquals(Math.exp(-sum / (tokens.length - 1)), score.perplexity(), 1e-9);
      }
    }
  }

  /** More tokens than are computed at once. */
  @Test
  void longTexts() {
    String name = "raven-2-4-2-f32";
    try (Fixture fixture = new Fixture(name);
        LanguageModel model = LanguageModel.load(Fixture.directory(name), new LoadOptions(1))) {
      int[] tokens = new SplittableRandom(1).ints(128, 0, 160).toArray();
      Score score = model.score(Prompt.tokens(tokens), 1, InitialState.zero());
      List<Double> expected = fromLogits(fixture, tokens, 1, InitialState.zero());
      for (int i = 0; i < expected.size(); i++) {
        assertEquals(expected.get(i), score.logProbabilities().get(i), 1e-9, "token " + i);
      }
    }
  }

  @Test
  void trainedModelFindsRightSumsLikelier() {
    try (LanguageModel model = LanguageModel.load(ModelFiles.ravenTiny(), new LoadOptions(1))) {
      int mean = GenerationRequest.MODEL_DEFAULT;
      Score right = model.score(Prompt.text("47+8=55"), mean, InitialState.random(0));
      Score wrong = model.score(Prompt.text("47+8=54"), mean, InitialState.random(0));
      assertEquals(8, right.tokens().size());
      assertTrue(right.logProbabilities().getLast() > -0.1, () -> "" + right);
      assertTrue(wrong.logProbabilities().getLast() < -3, () -> "" + wrong);
      assertEquals(right.logProbabilities().subList(0, 6), wrong.logProbabilities().subList(0, 6));
    }
  }

  @Test
  void refusals() {
    try (LanguageModel model =
        LanguageModel.load(Fixture.directory("raven-1-2-1-untied"), new LoadOptions(1))) {
      assertThrows(
          IllegalArgumentException.class,
          () -> model.score(Prompt.tokens(1), 1, InitialState.zero()));
      assertThrows(
          IllegalArgumentException.class,
          () -> model.score(Prompt.text("a text"), 1, InitialState.zero()));
      for (int recurrence : new int[] {0, -2, Integer.MIN_VALUE}) {
        assertThrows(
            IllegalArgumentException.class,
            () -> model.score(Prompt.tokens(1, 2), recurrence, InitialState.zero()));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3})
  void recordsNeedOneValueLessThanTokens(int tokens) {
    List<Double> one = List.of(-1.0);
    List<Integer> some = Collections.nCopies(tokens, 7);
    assertThrows(IllegalArgumentException.class, () -> new Score(some, one));
    assertEquals(Math.E, new Score(List.of(7, 7), one).perplexity(), 1e-12);
  }
}
