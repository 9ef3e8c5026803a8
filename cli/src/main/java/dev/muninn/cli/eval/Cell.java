package dev.muninn.cli.eval;

import dev.muninn.eval.Measure;
import dev.muninn.eval.ProblemResult;
import dev.muninn.eval.Task;
import java.util.List;
import java.util.SortedMap;

/**
 * One task at one number of shots and of recurrences.
 *
 * @param recurrence the most that a position has
 */
public record Cell(Task task, int shots, int recurrence) {

  /** The key that identifies it in results. */
  public record Key(String task, int shots, int recurrence) {}

  public Key key() {
    return new Key(task.name(), shots, recurrence);
  }

  /** The results of all its problems. */
  public record Outcome(Cell cell, int problems, double meanRecurrences, List<Measure> measures) {
    /** Counts the results of all problems. */
    public static Outcome of(Cell cell, List<ProblemResult> results, boolean vote) {
      return new Outcome(
          cell,
          results.size(),
          ProblemResult.Depth.sum(results).mean(),
          Measure.of(cell.task(), results, vote));
    }
  }

  /**
   * One measure of a task at a number of shots, as a line of a plot.
   *
   * @param points by recurrences
   */
  public record Curve(String task, int shots, String measure, SortedMap<Integer, Measure> points) {}
}
