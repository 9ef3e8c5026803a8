package dev.muninn;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.backend.Backend;
import dev.muninn.cache.KeyValueLayout;
import dev.muninn.cache.KeyValueType;
import dev.muninn.cache.SlotPolicy;
import dev.muninn.decode.Cancellation;
import dev.muninn.decode.DecodingOptions;
import dev.muninn.decode.ExitCriteria;
import dev.muninn.decode.ExitOptions;
import dev.muninn.decode.InitialState;
import dev.muninn.decode.LogProbabilities;
import dev.muninn.decode.SequenceForward;
import dev.muninn.decode.Strategy;
import dev.muninn.serve.ContinuationScores;
import dev.muninn.serve.GenerationRequest;
import dev.muninn.serve.GenerationResult;
import dev.muninn.serve.Outcome;
import dev.muninn.serve.Score;
import dev.muninn.serve.ScoreRequest;
import dev.muninn.text.Prompt;
import dev.muninn.vector.VectorBackendProvider;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Continuations of a context that is computed once. */
class ScoreAllTest {
  private static final String NAME = "raven-1-2-1-untied";
  private static final InitialState STATE = InitialState.random(5);
  private static final int VOCABULARY = 128;

  static final List<SlotPolicy> POLICIES =
      List.of(
          SlotPolicy.full(),
          new SlotPolicy.Budget(1),
          new SlotPolicy.Budget(2),
          new SlotPolicy.Anchor(1),
          new SlotPolicy.Anchor(2));

  private static LanguageModel open() {
    return LanguageModel.load(Fixture.directory(NAME), new LoadOptions(2));
  }

  private static Prompt.Tokens tokens(SplittableRandom random, int length) {
    return new Prompt.Tokens(random.ints(length, 0, VOCABULARY).toArray());
  }

  /** Contexts and continuations of odd sizes, single tokens among them. */
  private static List<ScoreRequest> requests(DecodingOptions decoding) {
    SplittableRandom random = new SplittableRandom(7);
    List<ScoreRequest> requests = new ArrayList<>();
    for (int i = 0; i < 9; i++) {
      List<Prompt.Tokens> continuations = new ArrayList<>();
      for (int k = 0; k <= i % 4; k++) {
        continuations.add(tokens(random, k == 1 ? 1 : 1 + random.nextInt(7)));
      }
      requests.add(
          new ScoreRequest(
              tokens(random, 1 + random.nextInt(9)), continuations, 1 + i % 5, STATE, decoding));
    }
    return requests;
  }

  private static List<ContinuationScores> scores(
      LanguageModel model, List<ScoreRequest> requests, int batchSize) {
    return model.scoreAll(requests, batchSize, (result, index) -> {}, new Cancellation()).stream()
        .map(Outcome::orElseThrow)
        .toList();
  }

  private static int[] joined(Prompt.Tokens first, Prompt.Tokens second) {
    List<Integer> all = new ArrayList<>();
    for (int token : first.tokens()) {
      all.add(token);
    }
    for (int token : second.tokens()) {
      all.add(token);
    }
    return all.stream().mapToInt(Integer::intValue).toArray();
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3, 32})
  void bitsAreThoseOfTheWholeTextScoredAlone(int batchSize) {
    try (LanguageModel model = open()) {
      List<ScoreRequest> requests = requests(DecodingOptions.defaults());
      List<ContinuationScores> all = scores(model, requests, batchSize);
      for (int i = 0; i < requests.size(); i++) {
        ScoreRequest request = requests.get(i);
        int context = request.context().tokens().length;
        for (int k = 0; k < request.continuations().size(); k++) {
          int[] whole = joined(request.context(), request.continuations().get(k));
          Score alone = model.score(Prompt.tokens(whole), request.recurrence(), STATE);
          assertEquals(
              alone.logProbabilities().subList(context - 1, whole.length - 1),
              all.get(i).logProbabilities().get(k),
              "context " + i + ", continuation " + k);
        }
      }
    }
  }

  /** A computation that shares nothing: a cache for each continuation, one token at a time. */
  @ParameterizedTest
  @FieldSource("POLICIES")
  void eachContinuationReadsTheContextAsItWas(SlotPolicy policy) {
    DecodingOptions decoding = DecodingOptions.defaults().withPolicy(policy);
    try (Fixture fixture = new Fixture(NAME);
        Backend backend = fixture.open(new VectorBackendProvider(), 1);
        LanguageModel model = open()) {
      List<ScoreRequest> requests = requests(decoding);
      List<ContinuationScores> all = scores(model, requests, 4);
      for (int i = 0; i < requests.size(); i++) {
        ScoreRequest request = requests.get(i);
        for (int k = 0; k < request.continuations().size(); k++) {
          assertEquals(
              alone(fixture, backend, request, k, policy),
              all.get(i).logProbabilities().get(k),
              "context " + i + ", continuation " + k);
        }
      }
    }
  }

  private static List<Double> alone(
      Fixture fixture, Backend backend, ScoreRequest request, int index, SlotPolicy policy) {
    int[] context = request.context().tokens();
    int[] continuation = request.continuations().get(index).tokens();
    KeyValueLayout layout =
        new KeyValueLayout(
            fixture.model(), policy, request.recurrence(), context.length + continuation.length);
    List<Double> values = new ArrayList<>();
    try (SequenceForward sequence =
        new SequenceForward(
            backend, layout, request.recurrence(), context.length, STATE, () -> false)) {
      sequence.append(context);
      for (int token : continuation) {
        values.add(LogProbabilities.of(sequence.logits(), token));
        sequence.append(token);
      }
    }
    return values;
  }

  /** More tokens than are in flight of a continuation, behind more than are of a prompt. */
  @Test
  void longContinuations() {
    try (LanguageModel model =
        LanguageModel.load(Fixture.directory("raven-2-4-2-f32"), new LoadOptions(1))) {
      SplittableRandom random = new SplittableRandom(3);
      Prompt.Tokens context = new Prompt.Tokens(random.ints(20, 0, 160).toArray());
      Prompt.Tokens first = new Prompt.Tokens(random.ints(100, 0, 160).toArray());
      Prompt.Tokens second = new Prompt.Tokens(random.ints(70, 0, 160).toArray());
      ScoreRequest request =
          new ScoreRequest(context, List.of(first, second), 2, STATE, DecodingOptions.defaults());
      ContinuationScores scores = scores(model, List.of(request), 1).getFirst();
      for (int k = 0; k < 2; k++) {
        int[] whole = joined(context, request.continuations().get(k));
        Score alone = model.score(Prompt.tokens(whole), 2, STATE);
        assertEquals(
            alone.logProbabilities().subList(19, whole.length - 1),
            scores.logProbabilities().get(k));
      }
    }
  }

  /** What was generated is scored with the depths that it was generated with. */
  @ParameterizedTest
  @ValueSource(
      strings = {"kl:0.05", "latent-diff:0.3", "kl:0.05 warm", "none warm", "kl:0.05 budget"})
  void depthsAreThoseOfDecoding(String setting) {
    String[] words = setting.split(" ");
    DecodingOptions decoding = DecodingOptions.defaults().withType(KeyValueType.F32);
    if (!words[0].equals("none")) {
      decoding = decoding.withExit(ExitOptions.of(ExitCriteria.parse(words[0])));
    }
    if (words.length == 2) {
      decoding =
          words[1].equals("warm")
              ? decoding.withWarmStart(true)
              : decoding.withPolicy(new SlotPolicy.Budget(2));
    }
    try (LanguageModel model = open()) {
      Prompt.Tokens prompt = tokens(new SplittableRandom(11), 6);
      GenerationResult generated =
          model.generate(
              GenerationRequest.builder(prompt)
                  .maxTokens(9)
                  .recurrence(12)
                  .initialState(STATE)
                  .ignoreEndOfSequence(true)
                  .decoding(decoding)
                  .build());
      int[] answer = generated.tokens().stream().mapToInt(Integer::intValue).toArray();
      Prompt.Tokens other = tokens(new SplittableRandom(12), 4);
      ScoreRequest request =
          new ScoreRequest(prompt, List.of(other, new Prompt.Tokens(answer)), 12, STATE, decoding);
      ContinuationScores scores = scores(model, List.of(request), 1).getFirst();
      List<Integer> depths = scores.recurrences();
      assertEquals(1 + 3 + 8, depths.size());
      assertEquals(generated.recurrences().getFirst(), depths.getFirst());
      assertEquals(generated.recurrences().subList(1, 9), depths.subList(4, 12), setting);
      for (double logProbability : scores.logProbabilities().get(1)) {
        // The likeliest of all tokens has at least its share.
        assertTrue(logProbability >= -Math.log(VOCABULARY), scores.toString());
      }
    }
  }

  @Test
  void cancelledBeforeItBegins() {
    try (LanguageModel model = open()) {
      Cancellation cancellation = new Cancellation();
      cancellation.cancel();
      List<Outcome<ContinuationScores>> results =
          model.scoreAll(
              requests(DecodingOptions.defaults()), 2, (result, index) -> {}, cancellation);
      assertTrue(results.stream().allMatch(Outcome::isEmpty));
    }
  }

  @Test
  void listenerHearsEachOnce() {
    try (LanguageModel model = open()) {
      List<ScoreRequest> requests = requests(DecodingOptions.defaults());
      ContinuationScores[] heard = new ContinuationScores[requests.size()];
      List<Outcome<ContinuationScores>> results =
          model.scoreAll(
              requests,
              2,
              (result, index) -> {
                assertEquals(null, heard[index]);
                heard[index] = result;
              },
              new Cancellation());
      for (int i = 0; i < heard.length; i++) {
        assertEquals(results.get(i).orElseThrow(), heard[i]);
      }
    }
  }

  @Test
  void refusals() {
    Prompt.Tokens one = new Prompt.Tokens(1);
    DecodingOptions plain = DecodingOptions.defaults();
    assertThrows(
        IllegalArgumentException.class, () -> new ScoreRequest(one, List.of(), 1, STATE, plain));
    assertThrows(
        IllegalArgumentException.class, () -> new ScoreRequest(one, List.of(one), 0, STATE, plain));
    assertThrows(
        IllegalArgumentException.class,
        () ->
            new ScoreRequest(
                one, List.of(one), 1, STATE, plain.withStrategy(Strategy.Parallel.defaults())));
    try (LanguageModel model = open()) {
      ScoreRequest fits =
          new ScoreRequest(new Prompt.Tokens(new int[60]), List.of(one), 1, STATE, plain);
      ScoreRequest tooLong =
          new ScoreRequest(
              new Prompt.Tokens(new int[60]),
              List.of(one, new Prompt.Tokens(new int[5])),
              1,
              STATE,
              plain);
      IllegalArgumentException refusal =
          assertThrows(
              IllegalArgumentException.class, () -> scores(model, List.of(fits, tooLong), 1));
      assertEquals(
          "context 2: the prompt has 65 tokens, more than the context of 64", refusal.getMessage());
    }
  }
}
