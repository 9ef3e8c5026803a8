package dev.muninn.decode;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SamplingOptionsTest {
  private static final SamplingOptions GREEDY = SamplingOptions.greedy();

  @Test
  void greedyIsOff() {
    assertEquals(new SamplingOptions(0, 0, 1, 0, 1, 0), GREEDY);
  }

  @Test
  void changesOneAtATime() {
    assertEquals(
        new SamplingOptions(0.5f, 40, 0.9f, 0.1f, 1.2f, 7),
        GREEDY
            .withTemperature(0.5f)
            .withTopK(40)
            .withTopP(0.9f)
            .withMinP(0.1f)
            .withRepetitionPenalty(1.2f)
            .withSeed(7));
  }

  @Test
  void takesTheLimits() {
    GREEDY.withTopP(Float.MIN_VALUE).withMinP(1).withTopK(Integer.MAX_VALUE).withSeed(-1);
    GREEDY.withTemperature(Float.MAX_VALUE).withRepetitionPenalty(Float.MIN_VALUE);
  }

  @ParameterizedTest
  @ValueSource(floats = {-0.1f, Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY})
  void refusesTemperature(float value) {
    assertRefused("temperature", value, () -> GREEDY.withTemperature(value));
  }

  @ParameterizedTest
  @ValueSource(floats = {0, -0.1f, 1.1f, Float.NaN, Float.POSITIVE_INFINITY})
  void refusesTopP(float value) {
    assertRefused("top-p", value, () -> GREEDY.withTopP(value));
  }

  @ParameterizedTest
  @ValueSource(floats = {-0.1f, 1.1f, Float.NaN, Float.POSITIVE_INFINITY})
  void refusesMinP(float value) {
    assertRefused("min-p", value, () -> GREEDY.withMinP(value));
  }

  @ParameterizedTest
  @ValueSource(floats = {0, -1, Float.NaN, Float.POSITIVE_INFINITY})
  void refusesRepetitionPenalty(float value) {
    assertRefused("repetition penalty", value, () -> GREEDY.withRepetitionPenalty(value));
  }

  @Test
  void refusesTopK() {
    assertRefused("top-k", -1, () -> GREEDY.withTopK(-1));
  }

  @Test
  void textsHaveSeedsOfTheirOwn() {
    SamplingOptions options = GREEDY.withTemperature(1).withSeed(7);
    assertSame(options, options.forText(null));
    Set<Long> seeds = new HashSet<>();
    for (int i = 0; i < 1000; i++) {
      String name = Integer.toString(i);
      assertEquals(options.forText(name), options.forText(name));
      seeds.add(options.forText(name).seed());
      seeds.add(options.withSeed(8).forText(name).seed());
    }
    assertEquals(2000, seeds.size());
    assertEquals(options, options.forText("12").withSeed(7));
    assertNotEquals(options.forText("12"), options.forText("21"));
  }

  private static void assertRefused(String what, Number value, Executable change) {
    String message = assertThrows(IllegalArgumentException.class, change).getMessage();
    assertTrue(message.startsWith(what + " must be "), message);
    assertTrue(message.endsWith(", not " + value), message);
  }
}
