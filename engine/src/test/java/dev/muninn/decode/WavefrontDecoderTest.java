package dev.muninn.decode;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.cache.SlotPolicy;
import dev.muninn.decode.CountingBackend.Access;
import dev.muninn.decode.CountingBackend.SlotAccess;
import dev.muninn.decode.Strategy.Parallel;
import dev.muninn.decode.Strategy.Parallel.Freeze;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Parallel sampling. */
class WavefrontDecoderTest {
  private DecodingModel model;

  @BeforeEach
  void open() {
    model = new DecodingModel(DecodingModel.F32);
  }

  @AfterEach
  void close() {
    model.close();
  }

  private static Parallel parallel(int inner, int headway, double threshold, int wavefront) {
    return new Parallel(inner, headway, Freeze.LATENT_DIFF, threshold, wavefront, 0, 0);
  }

  /** Room for positions ahead of the tokens that are wanted, as the facade gives it. */
  private SequenceRequest request(int promptSeed) {
    return SequenceRequest.of(model.prompt(6, promptSeed)).recurrence(16).count(10).spare(24);
  }

  /** What a run cost, as told and as counted by the backend since it was reset. */
  private void assertCosts(SequenceRun run) {
    Parallel strategy = (Parallel) run.request.options().strategy();
    DecodingStatistics statistics = run.statistics();
    long steps = statistics.outerSteps();
    int prompt = run.request.prompt().length;
    int prefill = run.request.recurrence();
    // The prompt counts as one pass, as in the fixtures.
    assertEquals(1 + steps * strategy.innerRecurrence(), statistics.corePasses());
    assertEquals(prefill + steps * strategy.innerRecurrence(), model.backend.corePasses);
    assertEquals(model.backend.coreRows - (long) prefill * prompt, statistics.coreRows() - prompt);
    // Every row of the window goes through C once a step, and through R inner times.
    long rows = model.backend.codaRows - prompt;
    assertEquals(statistics.coreRows() - prompt, rows * strategy.innerRecurrence());
    // And through P as often as a token before it or its own has changed.
    assertEquals(0, model.backend.preludeRowsAgain);
    assertTrue(rows <= steps * strategy.maxWavefront());
    assertEquals(0, statistics.checkRows());
    assertTrue(model.backend.mostCoreRows <= Math.max(prompt, strategy.maxWavefront()));
    assertEquals(0, statistics.draftedTokens());
    assertArrayEquals(run.recurrences(), run.task.recurrences());
    assertEquals(0, run.task.promptRecurrences().length);
    assertEquals(1, run.timesEnded());
    model.backend.assertAllFreed();
  }

  /**
   * Where latent states converge, what order they are refined in does not matter. These prompts do
   * so before 48 recurrences, up to a relative change of 1e-4 in 16: sequential decoding with one
   * slot chooses the same tokens at 48 and 64, and the wavefront chooses them too.
   */
  @ParameterizedTest
  @CsvSource({
    "raven-2-4-2-f32, 1, 1, 6",
    "raven-2-4-2-f32, 1, 2, 128",
    "raven-2-4-2-f32, 1, 1, 2",
    "raven-1-4-1-bf16, 1, 3, 4",
    "raven-1-2-1-untied, 1, 3, 8"
  })
  void choosesWhatSequentialDecodingChoosesOnceConverged(
      String name, int seed, int headway, int wavefront) {
    try (DecodingModel converging = new DecodingModel(name)) {
      SequenceRequest request =
          SequenceRequest.of(converging.prompt(6, seed)).count(10).recurrence(64);
      SequenceRequest sequential =
          request.options(DecodingOptions.defaults().withPolicy(new SlotPolicy.Budget(1)));
      SequenceRun expected = converging.run(sequential);
      assertArrayEquals(
          expected.tokens(), converging.run(sequential.recurrence(48)).tokens(), "not converged");
      assertTrue(Arrays.stream(expected.tokens()).distinct().count() > 3, "hardly any tokens");
      SequenceRun run =
          converging.run(request.spare(12).strategy(parallel(16, headway, 1e-4, wavefront)));
      assertArrayEquals(expected.tokens(), run.tokens());
      // The prompt is computed as by sequential decoding.
      assertArrayEquals(expected.logits.get(0), run.logits.get(0));
      SequenceRun fixed =
          converging.run(
              request
                  .spare(12)
                  .strategy(new Parallel(16, headway, Freeze.FIXED, 1, wavefront, 0, 0)));
      assertArrayEquals(expected.tokens(), fixed.tokens());
    }
  }

  @ParameterizedTest
  @CsvSource({
    // inner, headway, threshold, wavefront
    "4, 1, 0.03, 128",
    "1, 1, 0.1, 16",
    "3, 2, 0.05, 128",
    "4, 3, 0.03, 7",
    "2, 3, 0.1, 2",
    "4, 2, 0.05, 3",
    "8, 1, 0.03, 2",
    "1, 5, 0.5, 128"
  })
  void countsAddUp(int inner, int headway, double threshold, int wavefront) {
    SequenceRequest request = request(3).strategy(parallel(inner, headway, threshold, wavefront));
    model.backend.reset();
    SequenceRun run = model.run(request);
    assertEquals(10, run.tokens().length);
    assertCosts(run);
    assertEquals(16, run.recurrences()[0]);
    for (int recurrences : run.recurrences()) {
      assertTrue(recurrences > 0);
    }
  }

  /**
   * Behind this prompt latent states orbit, and no state comes to rest below what a float can tell:
   * positions are then left as they are, the first of the window one after the other.
   */
  @ParameterizedTest
  @CsvSource({"4, 0.03, 8, 1", "4, 0.03, 2, 1", "1, 1e-12, 4, 3", "4, 1e-12, 128, 1"})
  void statesThatNeverSettleEndToo(int seed, double threshold, int wavefront, int headway) {
    SequenceRequest request =
        request(seed).recurrence(8).count(5).strategy(parallel(4, headway, threshold, wavefront));
    model.backend.reset();
    SequenceRun run = model.run(request);
    assertEquals(5, run.tokens().length);
    assertCosts(run);
    int most = Arrays.stream(run.recurrences()).max().orElseThrow();
    assertTrue(most >= 4 * 8, "at most " + most + " recurrences");
    // A position waits for those before it, and each for at most 4 r recurrences.
    assertTrue(run.statistics().outerSteps() <= 5 * (1 + 4 * 8 / 4));
  }

  /**
   * A position that does not settle waits as long as the window can grow, however many recurrences
   * it has had: only then is it left as it is.
   */
  @ParameterizedTest
  @CsvSource({"4, 1, 128, 28", "4, 1, 20, 20", "4, 3, 128, 10", "2, 1, 128, 28"})
  void aPositionWaitsAsLongAsTheWindowGrows(int inner, int headway, int wavefront, int steps) {
    SequenceRequest request =
        request(4).recurrence(8).count(5).strategy(parallel(inner, headway, 1e-12, wavefront));
    model.backend.reset();
    SequenceRun run = model.run(request);
    // 6 positions of the prompt, and room for 28 more.
    assertEquals(34, request.capacity());
    assertEquals(8 + inner * steps, run.recurrences()[1]);
    assertTrue(run.recurrences()[1] > 4 * 8);
    assertCosts(run);
  }

  /** Without regard to what changes, a position has its fixed number of recurrences. */
  @ParameterizedTest
  @CsvSource({
    // recurrences, inner, headway, wavefront
    "10, 4, 1, 128",
    "10, 5, 2, 128",
    "7, 1, 3, 128",
    "12, 3, 2, 2",
    "1, 4, 1, 5",
    "9, 2, 4, 3"
  })
  void fixedDepthEndsAndIsReached(int recurrence, int inner, int headway, int wavefront) {
    SequenceRequest request =
        request(5)
            .recurrence(recurrence)
            .strategy(new Parallel(inner, headway, Freeze.FIXED, 0.03, wavefront, 0, 0));
    model.backend.reset();
    SequenceRun run = model.run(request);
    assertEquals(10, run.tokens().length);
    assertCosts(run);
    for (int recurrences : run.recurrences()) {
      assertTrue(recurrences >= recurrence, recurrences + " of " + recurrence);
    }
    // The second token needs a position behind the prompt's: one step to add it, then its depth.
    int steps = 1 + (recurrence + inner - 1) / inner;
    assertTrue(run.statistics().outerSteps() >= steps);
    if (wavefront == 128 && headway == 1) {
      // Then a position settles in every step.
      assertEquals(steps + 8, run.statistics().outerSteps());
    }
    Parallel other = new Parallel(inner, headway, Freeze.FIXED, 1e-30, wavefront, 0, 0);
    assertArrayEquals(run.tokens(), model.run(request.strategy(other)).tokens());
  }

  /** The capacity ends the run: its last position settles, but chooses nothing any more. */
  @ParameterizedTest
  @ValueSource(ints = {1, 3})
  void theCapacityEndsTheRun(int headway) {
    int[] prompt = model.prompt(6, 1);
    for (int room = 0; room < 8; room++) {
      SequenceRequest request = SequenceRequest.of(prompt).recurrence(16).count(100);
      SequenceRequest limited =
          request
              .spare(prompt.length + room - request.capacity())
              .strategy(parallel(4, headway, 0.05, 128));
      model.backend.reset();
      SequenceRun run = model.run(limited);
      assertEquals(Math.max(1, room), run.tokens().length, "room for " + room);
      assertTrue(model.backend.mostCoreRows <= Math.max(prompt.length, room));
      assertCosts(run);
    }
  }

  /** Positions are added where the wavefront has room, however many are asked for. */
  @Test
  void noMoreHeadwayThanTheWavefrontHasRoomFor() {
    SequenceRun expected = model.run(request(3).strategy(parallel(4, 5, 0.05, 5)));
    int most = Integer.MAX_VALUE;
    assertSame(expected, model.run(request(3).strategy(parallel(4, most, 0.05, 5))));
  }

  @Test
  void aStopTokenEndsTheRun() {
    SequenceRequest request = request(1).strategy(parallel(4, 1, 0.05, 128));
    int[] all = model.run(request).tokens();
    for (int index = 0; index < all.length; index++) {
      int stop = all[index];
      int end = 0;
      while (all[end] != stop) {
        end++;
      }
      SequenceRun run = model.run(request.stopToken(stop));
      assertArrayEquals(Arrays.copyOf(all, end + 1), run.tokens());
      assertEquals(1, run.timesEnded());
    }
    for (int count = 1; count < all.length; count++) {
      // The cache has the same room: the window never grows beyond its last position.
      SequenceRequest fewer = request.count(count).spare(24 + 10 - count);
      assertArrayEquals(Arrays.copyOf(all, count), model.run(fewer).tokens());
    }
  }

  @Test
  void cancellation() {
    SequenceRequest request = request(1).strategy(parallel(4, 2, 0.05, 128));
    int[] all = model.run(request).tokens();
    for (int passes : new int[] {0, 3, 16, 17, 31, 48}) {
      int[] asked = {0};
      model.backend.reset();
      SequenceRun run = model.run(request, () -> asked[0]++ == passes);
      assertEquals(passes, model.backend.corePasses);
      assertTrue(run.statistics().corePasses() > 0, "the prompt counts from its beginning");
      assertEquals(0, run.timesEnded());
      assertArrayEquals(Arrays.copyOf(all, run.tokens().length), run.tokens());
      assertEquals(passes < 16, run.tokens().length == 0, "the prompt takes 16 passes");
      model.backend.assertAllFreed();
    }
  }

  private static void assertSame(SequenceRun expected, SequenceRun run) {
    assertArrayEquals(expected.tokens(), run.tokens());
    assertArrayEquals(expected.recurrences(), run.recurrences());
    assertEquals(expected.statistics(), run.statistics());
    for (int i = 0; i < expected.logits.size(); i++) {
      assertArrayEquals(expected.logits.get(i), run.logits.get(i));
    }
  }

  private static boolean sameBehindPrompt(SequenceRun a, SequenceRun b) {
    assertArrayEquals(a.logits.get(0), b.logits.get(0), "the prompt is not touched");
    return Arrays.equals(a.logits.get(1), b.logits.get(1));
  }

  /** Noise, guesses and the sampler have seeds: all runs of the same seeds are the same. */
  @Test
  void theSameSeedsGiveTheSameTokens() {
    SequenceRequest request =
        request(2)
            .strategy(new Parallel(4, 3, Freeze.FIXED, 1, 8, 0.2f, 0.3f))
            .sampling(SamplingOptions.greedy().withTemperature(1.5f).withSeed(9));
    SequenceRun run = model.run(request);
    assertSame(run, model.run(request));
    SequenceRun other = model.run(request.sampling(request.sampling().withSeed(10)));
    assertFalse(Arrays.equals(run.tokens(), other.tokens()));
  }

  @Test
  void noiseAndAverageChangeWhatIsComputed() {
    SequenceRequest request = request(2).strategy(new Parallel(2, 1, Freeze.FIXED, 1, 8, 0, 0));
    SequenceRun quiet = model.run(request);
    SequenceRun noisy =
        model.run(request.strategy(new Parallel(2, 1, Freeze.FIXED, 1, 8, 0, 0.4f)));
    SequenceRun averaged =
        model.run(request.strategy(new Parallel(2, 1, Freeze.FIXED, 1, 8, 0.4f, 0)));
    assertFalse(sameBehindPrompt(quiet, noisy));
    assertFalse(sameBehindPrompt(quiet, averaged));
    assertFalse(sameBehindPrompt(noisy, averaged));
  }

  /** States that begin from zeros are noisy too, with the seed that is given with them. */
  @Test
  void noiseOfStatesFromZero() {
    Parallel strategy = new Parallel(2, 1, Freeze.FIXED, 1, 8, 0, 0.4f);
    SequenceRequest request = request(2).strategy(strategy).state(new InitialState(0, 5));
    SequenceRun noisy = model.run(request);
    assertSame(noisy, model.run(request));
    assertFalse(sameBehindPrompt(noisy, model.run(request.state(new InitialState(0, 6)))));
    Parallel quiet = new Parallel(2, 1, Freeze.FIXED, 1, 8, 0, 0);
    assertFalse(sameBehindPrompt(noisy, model.run(request.strategy(quiet))));
  }

  /** Of a state, noise / (1 + its recurrences) is replaced by noise of its position and step. */
  @Test
  void noiseIsDampenedWithDepth() {
    float share = 0.4f;
    int inner = 3;
    int recurrence = 5;
    SequenceRequest request =
        request(2)
            .recurrence(recurrence)
            .strategy(new Parallel(inner, 1, Freeze.FIXED, 1, 16, 0, share));
    model.backend.keepAccesses();
    model.run(request);
    InitialStates states = new InitialStates(request.state(), model.config.core().start());
    int width = model.config.width();
    float[] noise = new float[width];
    int first = request.prompt().length;
    List<SlotAccess> writes =
        model.backend.accesses.stream().filter(a -> a.access() == Access.WRITE_LATENT).toList();
    // The prompt's states, and that of the position behind it.
    float[] state = new float[width];
    for (int position = 0; position <= first; position++) {
      states.fill(position, state);
      assertArrayEquals(state, writes.get(position).values());
    }
    // In the first step it is mixed; its depth is the prompt's.
    states.fill(first, 1, noise);
    float[] expected = new float[width];
    for (int i = 0; i < width; i++) {
      expected[i] = state[i] + (noise[i] - state[i]) * share / (1 + recurrence);
    }
    assertArrayEquals(expected, writes.get(first + 1).values(), 1e-6f);
    // In the second step the next position stands at depth 0.
    states.fill(first + 1, state);
    assertArrayEquals(state, writes.get(first + 2).values());
    states.fill(first + 1, 2, noise);
    for (int i = 0; i < width; i++) {
      expected[i] = state[i] + (noise[i] - state[i]) * share;
    }
    assertArrayEquals(expected, writes.get(first + 4).values(), 1e-6f);
  }

  /** From the second step on: what is new gets 1 - a, what was known before gets a. */
  @Test
  void embeddingsAreAveraged() {
    float share = 0.25f;
    SequenceRequest request =
        request(2).strategy(new Parallel(3, 1, Freeze.FIXED, 1, 16, share, 0));
    model.backend.keepAccesses();
    model.run(request);
    int width = model.config.width();
    Map<Integer, float[]> averages = new HashMap<>();
    int first = request.prompt().length;
    int end = first;
    float[] expected = null;
    int written = 0;
    boolean firstStep = true;
    for (SlotAccess access : model.backend.accesses) {
      float[] values = access.values();
      if (access.access() == Access.READ_EMBEDDING) {
        float[] known = averages.get(access.slot());
        if (firstStep) {
          expected = values;
          averages.put(access.slot(), values);
          firstStep = false;
          continue;
        }
        expected = new float[width];
        for (int i = 0; i < width; i++) {
          expected[i] = values[i] * (1 - share) + (known == null ? 0 : known[i] * share);
        }
        averages.put(access.slot(), expected);
      } else if (access.access() == Access.WRITE_EMBEDDING) {
        assertArrayEquals(expected, values, 1e-6f);
        written++;
      }
      end = Math.max(end, access.slot());
    }
    // The window has 16 slots, and the 10 tokens less than 16 positions: none is used twice.
    assertTrue(written > 20 && averages.size() < 16, written + " of " + averages.size());
  }

  /** A prompt longer than the window, and one token. */
  @Test
  void aLongPromptAndANarrowWindow() {
    SequenceRequest request =
        SequenceRequest.of(model.prompt(40, 7))
            .recurrence(16)
            .count(6)
            .spare(4)
            .strategy(parallel(4, 2, 0.05, 2));
    model.backend.reset();
    SequenceRun run = model.run(request);
    assertEquals(6, run.tokens().length);
    assertCosts(run);
    int[] single = {9};
    model.backend.reset();
    run = model.run(SequenceRequest.of(single).spare(3).strategy(parallel(4, 2, 0.1, 2)));
    assertEquals(12, run.tokens().length);
    assertCosts(run);
  }

  /** What the repetition penalty counts are tokens that are certain, not those in the window. */
  @Test
  void theRepetitionPenaltyIsHonoured() {
    SequenceRequest request = request(1).strategy(parallel(8, 1, 0.03, 8));
    SequenceRequest penalized = request.sampling(SamplingOptions.greedy().withRepetitionPenalty(2));
    SequenceRun run = model.run(penalized);
    assertSame(run, model.run(penalized));
    assertFalse(Arrays.equals(model.run(request).tokens(), run.tokens()));
  }
}
