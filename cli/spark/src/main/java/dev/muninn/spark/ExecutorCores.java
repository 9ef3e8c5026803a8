package dev.muninn.spark;

import java.util.OptionalInt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.spark.SparkConf;

/**
 * An executor has one model, whose threads are the cores of a task. So a task must have all cores
 * of its executor: two tasks at once would only wait for each other.
 */
final class ExecutorCores {
  private static final String TASK_CPUS = "spark.task.cpus";
  private static final String EXECUTOR_CORES = "spark.executor.cores";
  private static final Pattern LOCAL =
      Pattern.compile("local(?:\\[\\s*([0-9]+|\\*)\\s*(?:,\\s*[0-9]+\\s*)?\\])?");
  private static final Pattern LOCAL_CLUSTER =
      Pattern.compile("local-cluster\\[\\s*[0-9]+\\s*,\\s*([0-9]+)\\s*,\\s*[0-9]+\\s*\\]");

  private ExecutorCores() {}

  /** Gives a task all cores of its executor, unless the user has said how many it has. */
  static void giveToTask(SparkConf conf) {
    OptionalInt cores = of(conf);
    if (!conf.contains(TASK_CPUS) && cores.isPresent()) {
      conf.set(TASK_CPUS, Integer.toString(cores.getAsInt()));
    }
  }

  /**
   * Checks that a task has all cores of its executor.
   *
   * @throws IllegalArgumentException if it has not, or if it is not known; one line says what to
   *     set
   */
  static void requireWhole(SparkConf conf) {
    OptionalInt cores = of(conf);
    if (cores.isEmpty()) {
      throw new IllegalArgumentException(
          EXECUTOR_CORES
              + " is not set: set it and "
              + TASK_CPUS
              + " to the same number, since an executor has one model, whose threads are a task's"
              + " cores");
    }
    int cpus = conf.getInt(TASK_CPUS, 1);
    if (cpus != cores.getAsInt()) {
      throw new IllegalArgumentException(
          TASK_CPUS
              + " is "
              + cpus
              + ", but an executor has "
              + cores.getAsInt()
              + (cores.getAsInt() == 1 ? " core" : " cores")
              + ": set both to the same number, since an executor has one model, whose threads are"
              + " a task's cores");
    }
  }

  /** The cores of an executor; empty where it takes all that its worker has. */
  private static OptionalInt of(SparkConf conf) {
    String master = conf.get("spark.master", "local[*]");
    Matcher local = LOCAL.matcher(master);
    if (local.matches()) {
      String cores = local.group(1);
      if (cores == null) {
        return OptionalInt.of(1);
      }
      return OptionalInt.of(
          cores.equals("*") ? Runtime.getRuntime().availableProcessors() : Integer.parseInt(cores));
    }
    Matcher cluster = LOCAL_CLUSTER.matcher(master);
    if (cluster.matches()) {
      return OptionalInt.of(Integer.parseInt(cluster.group(1)));
    }
    if (conf.contains(EXECUTOR_CORES)) {
      return OptionalInt.of(conf.getInt(EXECUTOR_CORES, 1));
    }
    // YARN and Kubernetes give one core to whoever does not ask for more.
    return master.startsWith("spark://") ? OptionalInt.empty() : OptionalInt.of(1);
  }
}
