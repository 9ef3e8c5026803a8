package dev.muninn.text;

import java.util.List;

/**
 * Looks for stop strings in a text that comes in pieces, and holds back what could be the beginning
 * of one.
 *
 * <p>The text let through does not depend on where the pieces end: it is the whole text up to the
 * first place where a stop string begins, or all of it. So the end of a stop string does not stop
 * the text yet while a longer stop string that begins before it may still be completed.
 *
 * <p>Not thread-safe.
 */
public final class StopStrings {
  private final List<String> stops;
  private final int longest;
  private final StringBuilder held = new StringBuilder();
  private boolean stopped;

  /**
   * Looks for stop strings.
   *
   * @param stops the stop strings, none empty; without any, everything passes
   */
  public StopStrings(List<String> stops) {
    this.stops = List.copyOf(stops);
    int longest = 0;
    for (String stop : this.stops) {
      if (stop.isEmpty()) {
        throw new IllegalArgumentException("a stop string must not be empty");
      }
      longest = Math.max(longest, stop.length());
    }
    this.longest = longest;
  }

  /**
   * Takes the next piece of the text.
   *
   * @return the text that is now certain to stand before any stop string, often empty
   */
  public String push(String piece) {
    if (stopped) {
      return "";
    }
    held.append(piece);
    int match = firstMatch();
    int opening = firstOpening(match < 0 ? held.length() : match);
    if (opening == match) {
      return stopAt(match);
    }
    return take(opening);
  }

  /** Whether a stop string was found; nothing is let through after that. */
  public boolean stopped() {
    return stopped;
  }

  /**
   * Ends the text. May find a stop string that was waiting for a longer one.
   *
   * @return the text that was held back, up to a stop string
   */
  public String flush() {
    int match = firstMatch();
    return match < 0 ? take(held.length()) : stopAt(match);
  }

  private String stopAt(int match) {
    String before = take(match);
    held.setLength(0);
    stopped = true;
    return before;
  }

  private String take(int length) {
    String taken = held.substring(0, length);
    held.delete(0, length);
    return taken;
  }

  private int firstMatch() {
    int first = -1;
    for (int i = 0; i < stops.size(); i++) {
      int found = held.indexOf(stops.get(i));
      if (found >= 0 && (first < 0 || found < first)) {
        first = found;
      }
    }
    return first;
  }

  /** The first place before the limit from which on all text could begin a stop string. */
  private int firstOpening(int limit) {
    for (int begin = Math.max(0, held.length() - longest + 1); begin < limit; begin++) {
      for (int i = 0; i < stops.size(); i++) {
        if (couldBegin(stops.get(i), begin)) {
          return begin;
        }
      }
    }
    return limit;
  }

  private boolean couldBegin(String stop, int begin) {
    int length = held.length() - begin;
    if (length >= stop.length()) {
      return false;
    }
    for (int i = 0; i < length; i++) {
      if (held.charAt(begin + i) != stop.charAt(i)) {
        return false;
      }
    }
    return true;
  }
}
