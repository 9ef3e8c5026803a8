package dev.muninn.text;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class StopStringsTest {

  @Test
  void holdsBackWhatCouldBeginAStopString() {
    StopStrings stops = new StopStrings(List.of("END"));
    assertEquals("a", stops.push("aE"));
    assertEquals("", stops.push("N"));
    assertEquals("ENx", stops.push("x"));
    assertEquals("", stops.push("END"));
    assertTrue(stops.stopped());
    assertEquals("", stops.push("more"));
    assertEquals("", stops.flush());
  }

  @Test
  void flushGivesWhatWasHeldBack() {
    StopStrings stops = new StopStrings(List.of("END"));
    assertEquals("a ", stops.push("a EN"));
    assertEquals("EN", stops.flush());
    assertEquals("", stops.flush());
    assertFalse(stops.stopped());
  }

  @Test
  void theEarliestBeginningWins() {
    StopStrings stops = new StopStrings(List.of("bc", "abcd"));
    assertEquals("x", stops.push("xabc"));
    assertFalse(stops.stopped());
    assertEquals("", stops.push("d"));
    assertTrue(stops.stopped());

    stops = new StopStrings(List.of("bc", "abcd"));
    assertEquals("x", stops.push("xabc"));
    assertEquals("a", stops.push("e"));
    assertTrue(stops.stopped());

    stops = new StopStrings(List.of("bc", "abcd"));
    assertEquals("x", stops.push("xabc"));
    assertEquals("a", stops.flush());
    assertTrue(stops.stopped());
  }

  @Test
  void withoutStopStringsEverythingPasses() {
    StopStrings stops = new StopStrings(List.of());
    assertEquals("abc", stops.push("abc"));
    assertEquals("", stops.push(""));
    assertEquals("", stops.flush());
    assertFalse(stops.stopped());
  }

  @Test
  void refusesEmptyStopStrings() {
    assertThrows(IllegalArgumentException.class, () -> new StopStrings(List.of("a", "")));
  }

  @Test
  void agreesWithASearchInTheWholeText() {
    Random random = new Random(5);
    for (int round = 0; round < 20_000; round++) {
      List<String> strings = new ArrayList<>();
      for (int count = random.nextInt(4); count >= 0; count--) {
        strings.add(randomString(random, 1 + random.nextInt(5)));
      }
      String text = randomString(random, random.nextInt(25));
      int expected = text.length();
      for (String stop : strings) {
        int found = text.indexOf(stop);
        expected = found < 0 ? expected : Math.min(expected, found);
      }
      String about = strings + " in " + text;

      StopStrings stops = new StopStrings(strings);
      StringBuilder passed = new StringBuilder();
      int begin = 0;
      while (begin < text.length()) {
        int end = Math.min(text.length(), begin + random.nextInt(5));
        passed.append(stops.push(text.substring(begin, end)));
        begin = end;
        assertTrue(stops.stopped() || begin - passed.length() < 5, about + ": held back too much");
      }
      passed.append(stops.flush());
      assertEquals(text.substring(0, expected), passed.toString(), about);
      assertEquals(expected < text.length(), stops.stopped(), about);
    }
  }

  /** Of two letters, so that stop strings overlap themselves and each other. */
  private static String randomString(Random random, int length) {
    StringBuilder string = new StringBuilder();
    for (int i = 0; i < length; i++) {
      string.append(random.nextBoolean() ? 'a' : 'b');
    }
    return string.toString();
  }
}
