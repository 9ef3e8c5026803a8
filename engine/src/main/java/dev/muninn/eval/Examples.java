package dev.muninn.eval;

import dev.muninn.text.Prompt;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * Solved problems to put before a question, drawn from a pool. What is drawn depends on the seed
 * and the number of the question alone; fewer examples are the first of more.
 *
 * @param pool a task of the same kind as the questions; the question itself is left out of it
 * @param separator stands between examples and behind the last; tokens follow each other without
 * @param seed of what is drawn
 */
public record Examples(Task pool, String separator, long seed) {

  /**
   * Puts examples before a problem's question.
   *
   * @param number the question's, from 0
   * @return the examples with all that stands before the question; empty if there are no shots
   * @throws IllegalArgumentException if the pool is too small, or of another kind
   */
  List<Prompt> before(Problem problem, int number, int shots) {
    List<Prompt> drawn = new ArrayList<>();
    if (shots == 0) {
      return drawn;
    }
    if (pool.problems().getFirst().getClass() != problem.getClass()) {
      throw new IllegalArgumentException(
          problem.where()
              + " is "
              + Task.kind(problem)
              + ", but the pool of examples has "
              + Task.kind(pool.problems().getFirst()));
    }
    SplittableRandom random = new SplittableRandom(seed * 0x9E3779B97F4A7C15L + number);
    // Fisher and Yates, of which only the places that were touched are kept.
    Map<Integer, Integer> moved = new HashMap<>();
    int size = pool.problems().size();
    for (int i = 0; i < size && drawn.size() < shots; i++) {
      int j = random.nextInt(i, size);
      Problem example = pool.problems().get(moved.getOrDefault(j, j));
      moved.put(j, moved.getOrDefault(i, i));
      if (!example.question().equals(problem.question())) {
        drawn.add(separated(example.solved()));
      }
    }
    if (drawn.size() < shots) {
      throw new IllegalArgumentException(
          problem.where()
              + ": the pool "
              + pool.name()
              + " has only "
              + drawn.size()
              + " other problems, fewer than "
              + shots
              + " shots");
    }
    return drawn;
  }

  private Prompt separated(Prompt example) {
    return example instanceof Prompt.Text(String text) ? Prompt.text(text + separator) : example;
  }
}
