package dev.muninn.eval;

import java.util.Map;
import java.util.SortedMap;

/**
 * How many recurrences are enough (arXiv 2502.05171, section 5.2): the fewest whose score is within
 * one standard error of the best.
 *
 * @param recurrence the fewest that are enough
 * @param best the fewest of those with the best score
 */
public record Saturation(int recurrence, int best) {

  /**
   * Finds the point.
   *
   * @param measures the same measure by recurrences, at least one. The error is that of the best;
   *     it is 0 where all problems were solved, and where it is unknown
   */
  public static Saturation of(SortedMap<Integer, Measure> measures) {
    int best = measures.firstKey();
    for (Map.Entry<Integer, Measure> entry : measures.entrySet()) {
      if (entry.getValue().score() > measures.get(best).score()) {
        best = entry.getKey();
      }
    }
    Measure greatest = measures.get(best);
    double error = Double.isNaN(greatest.standardError()) ? 0 : greatest.standardError();
    for (Map.Entry<Integer, Measure> entry : measures.entrySet()) {
      if (entry.getValue().score() >= greatest.score() - error) {
        return new Saturation(entry.getKey(), best);
      }
    }
    throw new AssertionError("the best is within its own error");
  }
}
