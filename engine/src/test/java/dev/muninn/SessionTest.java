package dev.muninn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.cache.KeyValueType;
import dev.muninn.decode.Cancellation;
import dev.muninn.decode.DecodingOptions;
import dev.muninn.decode.ExitCriteria;
import dev.muninn.decode.ExitCriterion;
import dev.muninn.decode.ExitOptions;
import dev.muninn.decode.InitialState;
import dev.muninn.decode.SamplingOptions;
import dev.muninn.decode.Strategy;
import dev.muninn.model.RecurrentModel;
import dev.muninn.serve.FinishReason;
import dev.muninn.serve.GenerationListener;
import dev.muninn.serve.GenerationRequest;
import dev.muninn.serve.GenerationResult;
import dev.muninn.text.Prompt;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a session generates is what the model generates from the whole prompt, with less work. */
class SessionTest {
  private static final int RECURRENCE = 5;
  private static LanguageModel model;

  @BeforeAll
  static void load() {
    model = LanguageModel.load(Fixture.directory("raven-1-2-1-untied"), new LoadOptions(2));
  }

  @AfterAll
  static void close() {
    model.close();
  }

  /** A criterion that lets nothing leave and keeps all that it sees of answers, to the last bit. */
  private static final class Watcher implements ExitCriterion {
    final List<float[]> seen = new ArrayList<>();

    static ExitOptions options(Watcher watcher) {
      return new ExitOptions(Optional.of(config -> watcher), 1, 1, ExitOptions.Prefill.NONE);
    }

    @Override
    public boolean readsLogits() {
      return true;
    }

    @Override
    public void begin(float[] latents, int rows, int width) {}

    @Override
    public double measure(float[] latents, int rows, int width, float[] logits) {
      seen.add(Arrays.copyOf(latents, rows * width));
      seen.add(logits.clone());
      return 0;
    }

    @Override
    public boolean satisfied(double value) {
      return false;
    }
  }

  private static ExitOptions byRow(String criterion) {
    return new ExitOptions(
        Optional.of(ExitCriteria.parse(criterion)), 1, 1, ExitOptions.Prefill.ROW);
  }

  static Stream<DecodingOptions> exactOptions() {
    DecodingOptions plain = DecodingOptions.defaults();
    return Stream.of(
        plain,
        plain.withType(KeyValueType.BF16),
        plain.withExit(byRow("latent-diff:0.2")),
        plain.withExit(byRow("cosine:0.01")),
        plain.withStrategy(new Strategy.Speculative(2, 3)));
  }

  private static GenerationRequest request(int[] prompt, DecodingOptions options, long seed) {
    return GenerationRequest.builder(Prompt.tokens(prompt))
        .maxTokens(4)
        .recurrence(RECURRENCE)
        .initialState(InitialState.random(7))
        .sampling(SamplingOptions.greedy().withTemperature(1.5f).withSeed(seed))
        .decoding(options)
        .build();
  }

  private static GenerationResult generate(Session session, GenerationRequest request) {
    return session.generate(request, GenerationListener.NONE, new Cancellation());
  }

  /** The tokens whose positions a generation computed: all but the last chosen one. */
  private static int[] computed(GenerationResult result) {
    List<Integer> all = new ArrayList<>(result.promptTokens());
    all.addAll(result.tokens());
    return all.subList(0, all.size() - 1).stream().mapToInt(Integer::intValue).toArray();
  }

  private static int common(int[] first, int[] second) {
    int mismatch = Arrays.mismatch(first, second);
    return mismatch < 0 ? first.length : mismatch;
  }

  /** A prompt that goes on from a former one, or leaves it somewhere, as conversations do. */
  private static int[] nextPrompt(SplittableRandom random, int[] before) {
    int kept = random.nextInt(3) == 0 ? random.nextInt(before.length + 1) : before.length;
    kept = Math.min(kept, 40);
    int[] prompt = Arrays.copyOf(before, kept + random.nextInt(1, 9));
    for (int i = kept; i < prompt.length; i++) {
      prompt[i] = random.nextInt(128);
    }
    return prompt;
  }

  @ParameterizedTest
  @MethodSource("exactOptions")
  void generatesAsFromTheWholePrompt(DecodingOptions options) {
    SplittableRandom random = new SplittableRandom(3);
    int[] before = {};
    try (Session session = model.openSession()) {
      for (int turn = 0; turn < 25; turn++) {
        int[] prompt = nextPrompt(random, before);
        GenerationRequest request = request(prompt, options, turn);
        GenerationResult whole = model.generate(request);
        GenerationResult kept = generate(session, request);
        assertEquals(whole.tokens(), kept.tokens());
        assertEquals(whole.recurrences(), kept.recurrences());
        assertEquals(whole.promptRecurrences(), kept.promptRecurrences());
        assertEquals(
            prompt.length - Math.min(common(before, prompt), prompt.length - 1),
            kept.timings().prefillTokens());
        before = computed(kept);
        assertEquals(before.length, session.keptPositions());
      }
    }
  }

  /** Latent states and logits of every recurrence, bit by bit. */
  @Test
  void computesTheSameBits() {
    SplittableRandom random = new SplittableRandom(5);
    int[] before = {};
    Watcher ofSession = new Watcher();
    DecodingOptions watched = DecodingOptions.defaults().withExit(Watcher.options(ofSession));
    try (Session session = model.openSession()) {
      for (int turn = 0; turn < 12; turn++) {
        int[] prompt = nextPrompt(random, before);
        Watcher ofWhole = new Watcher();
        ofSession.seen.clear();
        model.generate(
            request(prompt, DecodingOptions.defaults().withExit(Watcher.options(ofWhole)), turn));
        before = computed(generate(session, request(prompt, watched, turn)));
        assertEquals(ofWhole.seen.size(), ofSession.seen.size());
        assertFalse(ofWhole.seen.isEmpty());
        for (int i = 0; i < ofWhole.seen.size(); i++) {
          assertArrayEquals(ofWhole.seen.get(i), ofSession.seen.get(i));
        }
      }
    }
  }

  @Test
  void computesOnlyNewRows() {
    try (Session session = model.openSession()) {
      int[] prompt = {1, 2, 3};
      for (int turn = 0; turn < 6; turn++) {
        GenerationResult result =
            generate(session, request(prompt, DecodingOptions.defaults(), turn));
        int rows = result.timings().prefillTokens() + result.timings().decodeTokens();
        assertEquals((long) rows * RECURRENCE, result.statistics().coreRows());
        // The last token of the answer, which was not computed, and two more.
        assertEquals(3, result.timings().prefillTokens());
        int[] before = computed(result);
        prompt = Arrays.copyOf(before, before.length + 3);
        prompt[before.length] = result.tokens().getLast();
        prompt[before.length + 1] = turn;
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"recurrence", "state", "context", "policy"})
  void otherSettingsComputeAllAnew(String what) {
    int[] prompt = {5, 4, 3, 2, 1};
    GenerationRequest plain = request(prompt, DecodingOptions.defaults(), 0);
    Map<String, GenerationRequest> changed = new LinkedHashMap<>();
    changed.put("recurrence", builder(prompt).recurrence(RECURRENCE + 1).build());
    changed.put("state", builder(prompt).initialState(InitialState.random(8)).build());
    changed.put("context", builder(prompt).contextLength(20).build());
    changed.put(
        "policy",
        builder(prompt)
            .decoding(
                DecodingOptions.defaults().withPolicy(new dev.muninn.cache.SlotPolicy.Budget(2)))
            .build());
    try (Session session = model.openSession()) {
      generate(session, plain);
      assertEquals(1, generate(session, plain).timings().prefillTokens());
      GenerationResult result = generate(session, changed.get(what));
      assertEquals(prompt.length, result.timings().prefillTokens());
      assertEquals(model.generate(changed.get(what)).tokens(), result.tokens());
      assertEquals(1, generate(session, changed.get(what)).timings().prefillTokens());
    }
  }

  private static GenerationRequest.Builder builder(int[] prompt) {
    return GenerationRequest.builder(Prompt.tokens(prompt))
        .maxTokens(4)
        .recurrence(RECURRENCE)
        .initialState(InitialState.random(7));
  }

  @Test
  void goesOnAfterACancellation() {
    SplittableRandom random = new SplittableRandom(11);
    try (Session session = model.openSession()) {
      int[] prompt = {9, 8, 7};
      for (int turn = 0; turn < 10; turn++) {
        Cancellation cancellation = new Cancellation();
        int most = random.nextInt(4);
        int[] chosen = {0};
        GenerationRequest cut = request(prompt, DecodingOptions.defaults(), turn);
        session.generate(
            cut,
            new GenerationListener() {
              @Override
              public void onToken(int token, int recurrences) {
                if (chosen[0]++ == most) {
                  cancellation.cancel();
                }
              }

              @Override
              public void onText(String text) {}
            },
            cancellation);
        prompt = Arrays.copyOf(prompt, prompt.length + 2);
        GenerationRequest next = request(prompt, DecodingOptions.defaults(), turn);
        assertEquals(model.generate(next).tokens(), generate(session, next).tokens());
      }
    }
  }

  @Test
  void cancelledBeforeItBeginsKeepsNothingWrong() {
    try (Session session = model.openSession()) {
      Cancellation cancellation = new Cancellation();
      cancellation.cancel();
      GenerationRequest request = request(new int[] {1, 2, 3}, DecodingOptions.defaults(), 0);
      GenerationResult result = session.generate(request, GenerationListener.NONE, cancellation);
      assertEquals(FinishReason.CANCELLED, result.finishReason());
      assertEquals(model.generate(request).tokens(), generate(session, request).tokens());
    }
  }

  @Test
  void refusesWhatItCannotServe() {
    try (Session session = model.openSession()) {
      DecodingOptions parallel =
          DecodingOptions.defaults()
              .withStrategy(
                  new Strategy.Parallel(1, 1, Strategy.Parallel.Freeze.values()[0], 0.1, 4, 0, 0));
      assertTrue(
          assertThrows(
                  IllegalArgumentException.class,
                  () -> generate(session, request(new int[] {1}, parallel, 0)))
              .getMessage()
              .contains("parallel sampling"));
      assertThrows(
          IllegalArgumentException.class,
          () -> generate(session, request(new int[65], DecodingOptions.defaults(), 0)));
      // None of that did it any harm.
      GenerationRequest good = request(new int[] {1, 2}, DecodingOptions.defaults(), 0);
      assertEquals(model.generate(good).tokens(), generate(session, good).tokens());
    }
  }

  @Test
  void closedSessionIsClosed() {
    Session session = model.openSession();
    GenerationRequest request = request(new int[] {1, 2}, DecodingOptions.defaults(), 0);
    generate(session, request);
    session.close();
    session.close();
    assertThrows(IllegalStateException.class, () -> generate(session, request));
  }

  @Test
  void configurationOfTheFixtureIsWhatTheTestsSay() {
    RecurrentModel config = model.architecture();
    assertEquals(128, config.vocabularySize());
    assertEquals(64, config.contextLength());
  }
}
