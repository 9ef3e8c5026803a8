package dev.muninn.eval;

import java.util.List;

/**
 * Problems of one kind.
 *
 * @param name for tables and results
 * @param problems at least one, all of the same class
 * @param separator stands between examples and behind the last
 * @param hash tells this task from others of its name: the same if and only if the problems are, as
 *     far as both have them
 */
public record Task(String name, List<Problem> problems, String separator, String hash) {

  /**
   * @throws IllegalArgumentException if there are no problems, or not all are of one kind
   */
  public Task {
    problems = List.copyOf(problems);
    if (problems.isEmpty()) {
      throw new IllegalArgumentException("a task needs at least one problem");
    }
    Problem first = problems.getFirst();
    for (Problem problem : problems) {
      if (problem.getClass() != first.getClass()) {
        throw new IllegalArgumentException(
            problem.where()
                + ": "
                + kind(problem)
                + ", but "
                + first.where()
                + " is "
                + kind(first)
                + "; a task has one kind");
      }
    }
  }

  /** The kind of problem, for messages. */
  static String kind(Problem problem) {
    return switch (problem) {
      case Problem.Choice choice -> "multiple choice";
      case Problem.Answer answer -> "exact match";
      case Problem.Text text -> "a text for perplexity";
    };
  }

  /** The first problems. */
  public Task first(int count) {
    return count >= problems.size()
        ? this
        : new Task(name, problems.subList(0, count), separator, hash);
  }
}
