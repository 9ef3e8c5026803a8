package dev.muninn.tornado;

import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;

/** Hands out runs of neighbouring rows of an array. Not thread-safe. */
final class RegionAllocator {
  /** Size of each free run by its first row; no two touch each other. */
  private final NavigableMap<Integer, Integer> free = new TreeMap<>();

  RegionAllocator(int rows) {
    free.put(0, rows);
  }

  /** Rows of the longest free run. */
  int largest() {
    return free.values().stream().mapToInt(Integer::intValue).max().orElse(0);
  }

  /** First row of a run that is now taken, or -1 if no free run is so long. */
  int take(int rows) {
    for (Map.Entry<Integer, Integer> run : free.entrySet()) {
      if (run.getValue() >= rows) {
        int first = run.getKey();
        int rest = run.getValue() - rows;
        free.remove(first);
        if (rest > 0) {
          free.put(first + rows, rest);
        }
        return first;
      }
    }
    return -1;
  }

  /** Gives a run back. */
  void give(int first, int rows) {
    int begin = first;
    int size = rows;
    Map.Entry<Integer, Integer> before = free.lowerEntry(first);
    if (before != null && before.getKey() + before.getValue() == first) {
      begin = before.getKey();
      size += before.getValue();
    }
    Integer after = free.remove(first + rows);
    if (after != null) {
      size += after;
    }
    free.put(begin, size);
  }
}
