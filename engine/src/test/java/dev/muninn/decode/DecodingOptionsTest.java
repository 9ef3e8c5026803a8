package dev.muninn.decode;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.cache.KeyValueType;
import dev.muninn.cache.SlotPolicy;
import dev.muninn.decode.ExitOptions.Prefill;
import dev.muninn.decode.Strategy.Parallel.Freeze;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Which options there are, and which exclude each other. */
class DecodingOptionsTest {
  private static final DecodingOptions DEFAULTS = DecodingOptions.defaults();
  private static final Strategy SPECULATIVE = new Strategy.Speculative(2, 4);
  private static final Strategy PARALLEL = Strategy.Parallel.defaults();
  private static final ExitOptions KL = ExitOptions.of(ExitCriteria.parse("kl"));

  private static void assertRefused(String expected, Executable executable) {
    assertEquals(expected, assertThrows(IllegalArgumentException.class, executable).getMessage());
  }

  @Test
  void defaultsSpendAllRecurrencesOnEveryPosition() {
    assertEquals(Optional.empty(), DEFAULTS.policy());
    assertEquals(Optional.empty(), DEFAULTS.type());
    assertEquals(ExitOptions.none(), DEFAULTS.exit());
    assertFalse(DEFAULTS.warmStart());
    assertSame(Strategy.sequential(), DEFAULTS.strategy());
    assertSame(SlotPolicy.full(), DEFAULTS.effectivePolicy());
  }

  @Test
  void aStrategyHasItsPolicyAndTheOneGivenComesFirst() {
    assertSame(SlotPolicy.full(), DEFAULTS.withStrategy(SPECULATIVE).effectivePolicy());
    assertEquals(new SlotPolicy.Budget(1), DEFAULTS.withStrategy(PARALLEL).effectivePolicy());
    SlotPolicy anchor = new SlotPolicy.Anchor(3);
    assertEquals(anchor, DEFAULTS.withPolicy(anchor).effectivePolicy());
    assertEquals(
        SlotPolicy.full(),
        DEFAULTS.withPolicy(SlotPolicy.full()).withStrategy(SPECULATIVE).effectivePolicy());
    assertEquals(
        new SlotPolicy.Budget(1),
        DEFAULTS.withPolicy(new SlotPolicy.Budget(1)).withStrategy(PARALLEL).effectivePolicy());
  }

  @Test
  void sequentialDecodingTakesAllTogether() {
    DecodingOptions options =
        DEFAULTS
            .withPolicy(new SlotPolicy.Budget(2))
            .withType(KeyValueType.BF16)
            .withExit(KL)
            .withWarmStart(true);
    assertEquals(Optional.of(new SlotPolicy.Budget(2)), options.policy());
    assertEquals(Optional.of(KeyValueType.BF16), options.type());
    assertEquals(KL, options.exit());
    assertTrue(options.warmStart());
  }

  @ParameterizedTest
  @ValueSource(strings = {"budget:1", "budget:8", "anchor:2"})
  void speculationNeedsASlotForEveryRecurrence(String policy) {
    String expected =
        "speculative decoding needs the cache policy full, not "
            + policy
            + ": drafts would overwrite slots that are verified";
    DecodingOptions options = DEFAULTS.withPolicy(SlotPolicy.parse(policy));
    assertRefused(expected, () -> options.withStrategy(SPECULATIVE));
    DecodingOptions speculative = DEFAULTS.withStrategy(SPECULATIVE);
    assertRefused(expected, () -> speculative.withPolicy(SlotPolicy.parse(policy)));
  }

  @ParameterizedTest
  @ValueSource(strings = {"full", "budget:2", "anchor:1"})
  void parallelSamplingNeedsOneSlot(String policy) {
    String expected = "parallel sampling needs the cache policy budget:1, not " + policy;
    DecodingOptions options = DEFAULTS.withPolicy(SlotPolicy.parse(policy));
    assertRefused(expected, () -> options.withStrategy(PARALLEL));
  }

  @Test
  void exitsAndWarmStartsAreForSequentialDecoding() {
    DecodingOptions exit = DEFAULTS.withExit(KL);
    DecodingOptions warm = DEFAULTS.withWarmStart(true);
    assertRefused(
        "speculative decoding and an exit criterion exclude each other",
        () -> exit.withStrategy(SPECULATIVE));
    assertRefused(
        "parallel sampling and an exit criterion exclude each other",
        () -> exit.withStrategy(PARALLEL));
    assertRefused(
        "speculative decoding and a warm start exclude each other",
        () -> warm.withStrategy(SPECULATIVE));
    assertRefused(
        "parallel sampling and a warm start exclude each other", () -> warm.withStrategy(PARALLEL));
    assertRefused(
        "parallel sampling and a warm start exclude each other",
        () -> DEFAULTS.withStrategy(PARALLEL).withWarmStart(true));
  }

  @Test
  void keysAndValuesHaveATypeInEveryStrategy() {
    for (Strategy strategy : new Strategy[] {Strategy.sequential(), SPECULATIVE, PARALLEL}) {
      assertEquals(
          Optional.of(KeyValueType.BF16),
          DEFAULTS.withStrategy(strategy).withType(KeyValueType.BF16).type());
    }
  }

  @Test
  void exitOptionsArePositive() {
    assertRefused(
        "minimum recurrence must be at least 1, not 0",
        () -> new ExitOptions(KL.criterion(), 0, 1, Prefill.ROW));
    assertRefused(
        "exit interval must be at least 1, not -3",
        () -> new ExitOptions(KL.criterion(), 1, -3, Prefill.ROW));
    assertEquals(new ExitOptions(Optional.empty(), 1, 1, Prefill.GROUP), ExitOptions.none());
    assertEquals(Prefill.GROUP, KL.prefill());
  }

  @Test
  void withoutACriterionNothingIsChecked() {
    for (int recurrences = 1; recurrences < 10; recurrences++) {
      assertFalse(ExitOptions.none().checks(recurrences));
      assertTrue(KL.checks(recurrences));
    }
  }

  @ParameterizedTest
  @CsvSource({
    "0, 1, draft recurrence must be at least 1; not 0",
    "-1, 1, draft recurrence must be at least 1; not -1",
    "1, 0, lookahead must be at least 1; not 0"
  })
  void speculationHasDraftsAndALookahead(int draft, int lookahead, String expected) {
    assertRefused(expected.replace(';', ','), () -> new Strategy.Speculative(draft, lookahead));
  }

  private static Strategy parallel(
      int inner, int headway, double threshold, int wavefront, float ema, float noise) {
    return new Strategy.Parallel(
        inner, headway, Freeze.LATENT_DIFF, threshold, wavefront, ema, noise);
  }

  @Test
  void theWavefrontHasItsBounds() {
    assertRefused("inner recurrence must be at least 1, not 0", () -> parallel(0, 1, 1, 2, 0, 0));
    assertRefused("headway must be at least 1, not 0", () -> parallel(1, 0, 1, 2, 0, 0));
    for (double threshold : new double[] {0, -1, Double.NaN, Double.POSITIVE_INFINITY}) {
      assertRefused(
          "exit threshold must be a positive number, not " + threshold,
          () -> parallel(1, 1, threshold, 2, 0, 0));
    }
    assertRefused("wavefront must be at least 2, not 1", () -> parallel(1, 1, 1, 1, 0, 0));
    for (float average : new float[] {1, -0.1f, Float.NaN}) {
      assertRefused(
          "embedding average must be from 0 to below 1, not " + average,
          () -> parallel(1, 1, 1, 2, average, 0));
    }
    for (float noise : new float[] {1.1f, -0.1f, Float.NaN}) {
      assertRefused(
          "state noise must be from 0 to 1, not " + noise, () -> parallel(1, 1, 1, 2, 0, noise));
    }
    assertEquals(
        new Strategy.Parallel(4, 1, Freeze.LATENT_DIFF, 0.03, 128, 0, 0),
        Strategy.Parallel.defaults());
  }

  @Test
  void nothingIsNull() {
    assertThrows(NullPointerException.class, () -> DEFAULTS.withExit(null));
    assertThrows(NullPointerException.class, () -> DEFAULTS.withStrategy(null));
    assertThrows(
        NullPointerException.class,
        () -> new DecodingOptions(null, Optional.empty(), KL, false, Strategy.sequential()));
    assertThrows(
        NullPointerException.class,
        () -> new DecodingOptions(Optional.empty(), null, KL, false, Strategy.sequential()));
  }
}
