package dev.muninn.cli.trace;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;

/** Which recurrences are shown where there is no room for all. */
final class Recurrences {
  private Recurrences() {}

  /** At most so many from 1 to r, at growing intervals: early ones differ most. */
  static List<Integer> growing(int recurrence, int most) {
    TreeSet<Integer> chosen = new TreeSet<>();
    for (int i = 0; i < most; i++) {
      double share = most == 1 ? 1 : i / (most - 1.0);
      chosen.add((int) Math.round(Math.pow(recurrence, share)));
    }
    for (int i = 1; i <= recurrence && chosen.size() < Math.min(most, recurrence); i++) {
      chosen.add(i);
    }
    return List.copyOf(chosen);
  }

  /** At most so many from 1 to r, at equal intervals, the last among them. */
  static List<Integer> even(int recurrence, int most) {
    int count = Math.min(recurrence, most);
    List<Integer> chosen = new ArrayList<>();
    for (int i = 1; i <= count; i++) {
      chosen.add((int) ((long) i * recurrence / count));
    }
    return chosen;
  }
}
