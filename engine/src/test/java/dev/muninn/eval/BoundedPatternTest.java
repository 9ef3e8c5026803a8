package dev.muninn.eval;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.backend.InferenceException;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BoundedPatternTest {
  private static final String WHERE = "t.jsonl, line 3";

  @Test
  void findsTheLastMatchOrItsFirstGroup() {
    assertEquals(Optional.of("34"), last("[0-9]+", "12 and 34."));
    assertEquals(Optional.of("3"), last("([0-9])4", "12 and 34."));
    assertEquals(Optional.of(""), last("x|(y)", "x"));
    assertEquals(Optional.empty(), last("z", "x"));
  }

  private static Optional<String> last(String expression, String text) {
    return BoundedPattern.last(BoundedPattern.compile(expression), text, WHERE);
  }

  /** Ways to match that double with each letter, and a stack frame a letter. */
  @ParameterizedTest
  @ValueSource(
      strings = {"(a|a)*$", "(a*)*$", "(a+)+$", "^(([a-z])+.)+[A-Z]$", "(.*a){30}$", "(a|b)*c"})
  @Timeout(value = 60, unit = TimeUnit.SECONDS)
  void endlessSearchEndsInOneLineThatNamesLineAndPattern(String expression) {
    InferenceException failure =
        assertThrows(
            InferenceException.class,
            () -> {
              last(expression, "a".repeat(40) + "!");
              last(expression, "a".repeat(1_000_000) + "!");
            });
    assertTrue(failure.getMessage().startsWith(WHERE + ": pattern "), failure.getMessage());
    assertTrue(failure.getMessage().contains(expression), failure.getMessage());
    assertEquals(1, failure.getMessage().lines().count());
  }

  @Test
  void refusesWhatNestsOrRepeatsTooMuch() {
    for (String expression :
        new String[] {
          "(".repeat(100_000) + ")".repeat(100_000),
          "(?:(?:(?:){9999}){9999}){9999}",
          "a{2,99999999}"
        }) {
      assertThrows(IllegalArgumentException.class, () -> BoundedPattern.compile(expression));
    }
    BoundedPattern.compile("[0-9]{1,3}(,[0-9]{3}){0,9}");
  }
}
