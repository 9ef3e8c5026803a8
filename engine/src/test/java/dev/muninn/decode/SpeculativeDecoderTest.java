package dev.muninn.decode;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.Fixture;
import dev.muninn.cache.KeyValueType;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.FieldSource;

/** Greedy speculation against plain greedy decoding, to the last bit, and what it costs. */
class SpeculativeDecoderTest {
  static final List<String> NAMES = Fixture.NAMES;
  private static final int[] DRAFTS = {1, 2, 4};
  private static final int[] LOOKAHEADS = {1, 2, 3, 5, 8};
  private static final int RECURRENCE = 6;

  private static SequenceRequest speculative(SequenceRequest request, int draft, int lookahead) {
    return request.strategy(new Strategy.Speculative(draft, lookahead));
  }

  private static void assertSame(SequenceRun plain, SequenceRun run, String what) {
    assertArrayEquals(plain.tokens(), run.tokens(), what);
    assertArrayEquals(plain.recurrences(), run.recurrences(), what);
    for (int i = 0; i < plain.logits.size(); i++) {
      assertArrayEquals(plain.logits.get(i), run.logits.get(i), what + ", logits " + i);
    }
    assertEquals(1, run.timesEnded(), what);
  }

  /** What a run cost, as told and as counted by the backend since it was reset. */
  private static void assertCosts(DecodingModel model, SequenceRun run, int draft, int lookahead) {
    DecodingStatistics statistics = run.statistics();
    long prompt = run.request.prompt().length;
    long drafted = statistics.draftedTokens();
    long accepted = statistics.acceptedTokens();
    assertTrue(accepted <= drafted);
    // Every verification chooses the tokens it accepts, and one more unless it accepts all.
    int verifications = run.task.recurrences().length - 1;
    assertTrue(run.tokens().length - 1 <= accepted + verifications);
    assertTrue(drafted <= (long) verifications * lookahead);
    // A row is computed once at each recurrence: what is verified goes on from its draft.
    int recurrence = run.request.recurrence();
    assertEquals(recurrence * (prompt + drafted), statistics.coreRows());
    assertEquals(statistics.coreRows(), model.backend.coreRows);
    assertEquals(
        recurrence + drafted * draft + (long) verifications * (recurrence - draft),
        statistics.corePasses());
    assertEquals(statistics.corePasses(), model.backend.corePasses);
    assertEquals(prompt + drafted, model.backend.preludeRows);
    assertEquals(prompt + 2 * drafted, model.backend.codaRows);
    model.backend.assertAllFreed();
  }

  @ParameterizedTest
  @FieldSource("NAMES")
  void choosesWhatPlainDecodingChooses(String name) {
    try (DecodingModel model = new DecodingModel(name)) {
      SequenceRequest request =
          SequenceRequest.of(model.prompt(4, 4)).recurrence(RECURRENCE).count(13);
      SequenceRun plain = model.run(request);
      boolean rejected = false;
      boolean accepted = false;
      for (int draft : DRAFTS) {
        for (int lookahead : LOOKAHEADS) {
          model.backend.reset();
          SequenceRun run = model.run(speculative(request, draft, lookahead));
          assertSame(plain, run, "draft at " + draft + ", lookahead " + lookahead);
          assertCosts(model, run, draft, lookahead);
          accepted |= run.statistics().acceptedTokens() > 0;
          rejected |= run.statistics().acceptedTokens() < run.statistics().draftedTokens();
        }
      }
      assertTrue(accepted && rejected, "the test needs drafts of both kinds");
    }
  }

  /**
   * The capacity ends inside a draft, or the sink has enough inside one, whatever number of tokens
   * is asked for.
   */
  @ParameterizedTest
  @CsvSource({"2, 3, 0", "4, 8, 0", "4, 5, 7", "2, 8, 30", "1, 50, 0"})
  void endsWherePlainDecodingEnds(int draft, int lookahead, int spare) {
    try (DecodingModel model = new DecodingModel(DecodingModel.UNTIED)) {
      int[] prompt = model.prompt(5, 8);
      int[] plain = model.run(SequenceRequest.of(prompt).count(11)).tokens();
      for (int count = 1; count <= plain.length; count++) {
        SequenceRequest request = SequenceRequest.of(prompt).count(count).spare(spare);
        model.backend.reset();
        SequenceRun run = model.run(speculative(request, draft, lookahead));
        assertArrayEquals(Arrays.copyOf(plain, count), run.tokens());
        assertEquals(1, run.timesEnded());
        if (spare == 0) {
          // Nothing is drafted that the cache has no room for.
          assertTrue(run.statistics().draftedTokens() <= 12L * lookahead);
        }
        model.backend.assertAllFreed();
      }
    }
  }

  /** The sink never says that it has enough: the capacity ends the sequence. */
  @Test
  void theCapacityEndsTheSequence() {
    try (DecodingModel model = new DecodingModel(DecodingModel.UNTIED)) {
      int[] prompt = model.prompt(5, 8);
      SequenceRequest request = SequenceRequest.of(prompt).count(100);
      for (int capacity = 5; capacity <= 14; capacity++) {
        SequenceRequest limited = request.spare(capacity - request.capacity());
        assertEquals(capacity, limited.capacity());
        SequenceRun plain = model.run(limited);
        assertEquals(capacity - prompt.length + 1, plain.tokens().length);
        assertSame(plain, model.run(speculative(limited, 2, 4)), "capacity " + capacity);
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"1, 4", "4, 8", "5, 3"})
  void aStopTokenInsideADraftEndsTheSequence(int draft, int lookahead) {
    try (DecodingModel model = new DecodingModel(DecodingModel.UNTIED)) {
      SequenceRequest request = SequenceRequest.of(model.prompt(7, 2)).count(14);
      for (int stop : model.run(request).tokens()) {
        SequenceRun plain = model.run(request.stopToken(stop));
        assertEquals(stop, plain.tokens()[plain.tokens().length - 1]);
        assertSame(
            plain,
            model.run(speculative(request.stopToken(stop), draft, lookahead)),
            "stop at " + stop);
      }
    }
  }

  /**
   * With one draft at a time every verification chooses one token, and a draft is accepted exactly
   * where D recurrences choose as r do.
   */
  @ParameterizedTest
  @CsvSource({"raven-2-4-2-f32, 1", "raven-2-4-2-f32, 3", "raven-1-2-1-untied, 2"})
  void aDraftIsAcceptedWhereTheTokenIsTheSame(String name, int draft) {
    try (DecodingModel model = new DecodingModel(name)) {
      SequenceRequest request = SequenceRequest.of(model.prompt(6, 12)).count(25);
      SpelledOut expected = new SpelledOut(model, request, position -> null, draft);
      SequenceRun run = model.run(speculative(request, draft, 1));
      assertArrayEquals(expected.tokenArray(), run.tokens());
      int same = 0;
      for (int i = 1; i < request.count(); i++) {
        same += expected.drafts.get(5 + i).equals(expected.tokens.get(i)) ? 1 : 0;
      }
      assertTrue(same > 0 && same < 24, same + " of 24 drafts are right");
      assertEquals(24, run.statistics().draftedTokens());
      assertEquals(same, run.statistics().acceptedTokens());
      assertEquals(25, run.task.recurrences().length);
    }
  }

  /**
   * Where a draft is as good as the whole, all of it is accepted, and a lookahead of K takes a
   * verification for K tokens: here at 31 of 32 recurrences, where latent states have converged.
   */
  @ParameterizedTest
  @FieldSource("NAMES")
  void goodDraftsAreAllAccepted(String name) {
    try (DecodingModel model = new DecodingModel(name)) {
      SequenceRequest request =
          SequenceRequest.of(model.prompt(3, 3))
              .recurrence(32)
              .count(13)
              .state(InitialState.zero());
      SequenceRun plain = model.run(request);
      model.backend.reset();
      SequenceRun run = model.run(speculative(request, 31, 4));
      assertSame(plain, run, name);
      assertEquals(12, run.statistics().draftedTokens());
      assertEquals(12, run.statistics().acceptedTokens());
      assertEquals(3, run.task.recurrences().length - 1);
      assertCosts(model, run, 31, 4);
    }
  }

  /** Tokens that were drafted and rejected are not held against later ones. */
  @ParameterizedTest
  @CsvSource({
    "raven-2-4-2-f32, 1, 5",
    "raven-2-4-2-f32, 3, 3",
    "raven-1-2-1-untied, 1, 8",
    "raven-1-2-1-untied, 4, 2"
  })
  void theRepetitionPenaltyForgetsWhatWasRejected(String name, int draft, int lookahead) {
    try (DecodingModel model = new DecodingModel(name)) {
      SequenceRequest free = SequenceRequest.of(model.prompt(6, 12)).count(30);
      SequenceRequest request = free.sampling(SamplingOptions.greedy().withRepetitionPenalty(1.7f));
      SequenceRun plain = model.run(request);
      assertFalse(Arrays.equals(model.run(free).tokens(), plain.tokens()), "no penalty");
      SequenceRun run = model.run(speculative(request, draft, lookahead));
      assertSame(plain, run, name);
      assertNotEquals(run.statistics().draftedTokens(), run.statistics().acceptedTokens());
    }
  }

  /** What the draft stored in BF16 is what the verification would have stored. */
  @Test
  void keysAndValuesInBf16() {
    try (DecodingModel model = new DecodingModel(DecodingModel.F32)) {
      SequenceRequest request =
          SequenceRequest.of(model.prompt(9, 4))
              .count(16)
              .options(DecodingOptions.defaults().withType(KeyValueType.BF16));
      assertSame(model.run(request), model.run(speculative(request, 2, 4)), "BF16");
    }
  }

  /** A lookahead beyond the rows that are computed at once is cut; the tokens stay the same. */
  @Test
  void moreLookaheadThanRows() {
    try (DecodingModel model = new DecodingModel(DecodingModel.UNTIED, 600)) {
      SequenceRequest request =
          SequenceRequest.of(model.prompt(5, 8)).recurrence(2).count(20).spare(500);
      SequenceRun plain = model.run(request);
      assertSame(plain, model.run(speculative(request, 1, 400)), "lookahead of 400");
    }
  }

  /** A prompt of several parts: each takes its own passes. */
  @Test
  void aPromptOfMoreRowsThanAreComputedAtOnce() {
    try (DecodingModel model = new DecodingModel(DecodingModel.UNTIED, 600)) {
      SequenceRequest request = SequenceRequest.of(model.prompt(300, 8)).recurrence(2).count(3);
      SequenceRun plain = model.run(request);
      model.backend.reset();
      SequenceRun run = model.run(speculative(request, 1, 2));
      assertSame(plain, run, "prompt of 300");
      assertEquals(model.backend.coreRows, run.statistics().coreRows());
      assertEquals(model.backend.corePasses, run.statistics().corePasses());
    }
  }

  /** Cancelled at any moment: a beginning of the sequence, nothing left open, no end told. */
  @Test
  void cancellation() {
    try (DecodingModel model = new DecodingModel(DecodingModel.UNTIED)) {
      SequenceRequest request = SequenceRequest.of(model.prompt(5, 8)).count(8);
      int[] plain = model.run(request).tokens();
      for (int passes : new int[] {0, 1, 5, 6, 7, 9, 12, 20}) {
        int[] asked = {0};
        model.backend.reset();
        SequenceRun run = model.run(speculative(request, 2, 3), () -> asked[0]++ == passes);
        assertEquals(passes, model.backend.corePasses);
        assertEquals(passes, run.statistics().corePasses());
        assertEquals(model.backend.coreRows, run.statistics().coreRows());
        assertEquals(0, run.timesEnded());
        assertArrayEquals(Arrays.copyOf(plain, run.tokens().length), run.tokens());
        assertEquals(passes < 6, run.tokens().length == 0, "the prompt takes 6 passes");
        model.backend.assertAllFreed();
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"6, 6", "7, 6", "1, 1"})
  void theDraftIsShallowerThanTheWhole(int draft, int recurrence) {
    try (DecodingModel model = new DecodingModel(DecodingModel.UNTIED)) {
      SequenceRequest request = SequenceRequest.of(1, 2).recurrence(recurrence);
      IllegalArgumentException refusal =
          assertThrows(
              IllegalArgumentException.class, () -> model.run(speculative(request, draft, 2)));
      assertEquals(
          "draft recurrence " + draft + " must be below the recurrence " + recurrence,
          refusal.getMessage());
      model.backend.assertAllFreed();
    }
  }
}
