package dev.muninn.cli.eval;

import dev.muninn.cli.options.UsageException;
import dev.muninn.eval.BuiltInTasks;
import dev.muninn.eval.Task;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * What is evaluated.
 *
 * @param tasks of different names
 * @param pool what examples are drawn from; empty for each task's own problems
 */
public record EvalTasks(List<Task> tasks, Optional<Task> pool) {
  private static final int BUILT_IN_PROBLEMS = 300;

  public EvalTasks {
    tasks = List.copyOf(tasks);
  }

  /** Reads a task of a name that no built-in task has. */
  @FunctionalInterface
  public interface Reader {
    Task read(String name) throws IOException;
  }

  /**
   * Tasks by their names.
   *
   * @param problems the first of each that count; null for all, or 300 of a built-in one
   * @param seed of built-in ones
   */
  public static List<Task> named(List<String> names, Integer problems, long seed, Reader reader)
      throws IOException {
    List<Task> tasks = new ArrayList<>();
    for (String name : names) {
      int most = problems == null ? BUILT_IN_PROBLEMS : problems;
      Optional<List<Task>> builtIn = BuiltInTasks.parse(name, most, seed);
      if (builtIn.isPresent()) {
        tasks.addAll(builtIn.get());
      } else if (BuiltInTasks.isMeant(name) && Files.notExists(Path.of(name))) {
        throw new UsageException(
            "there is no task " + name + "; the built-in ones are " + BuiltInTasks.NUMBERS);
      } else {
        Task task = reader.read(name);
        tasks.add(problems == null ? task : task.first(problems));
      }
    }
    Set<String> different = new HashSet<>();
    for (Task task : tasks) {
      if (!different.add(task.name())) {
        throw new UsageException("two tasks are called " + task.name());
      }
    }
    return tasks;
  }
}
