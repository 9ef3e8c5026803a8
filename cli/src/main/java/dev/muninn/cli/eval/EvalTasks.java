package dev.muninn.cli.eval;

import dev.muninn.eval.Task;
import java.util.List;
import java.util.Optional;

/**
 * What is evaluated.
 *
 * @param tasks of different names
 * @param pool what examples are drawn from; empty for each task's own problems
 */
public record EvalTasks(List<Task> tasks, Optional<Task> pool) {
  public EvalTasks {
    tasks = List.copyOf(tasks);
  }
}
