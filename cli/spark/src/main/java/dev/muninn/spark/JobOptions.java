package dev.muninn.spark;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;

/**
 * How rows are computed: the options of a Muninn command, by the names they have there.
 *
 * @param <A> what they are read into
 */
abstract sealed class JobOptions<A extends RowArguments> implements Serializable
    permits GenerateOptions, ScoreOptions {
  private static final long serialVersionUID = 1L;

  /** What travels to executors, which read it again: a request's parts do not travel. */
  private final String[] arguments;

  private transient A parsed;

  JobOptions(String... arguments) {
    this.arguments = arguments.clone();
  }

  /** Where options are read into. */
  abstract A unread();

  /**
   * The options, read.
   *
   * @throws IllegalArgumentException in one line, if they are wrong
   */
  final synchronized A parsed() {
    if (parsed == null) {
      parsed = RowArguments.parse(unread(), arguments);
    }
    return parsed;
  }

  @Override
  public String toString() {
    return String.join(" ", arguments);
  }

  /** Collects options. Not thread-safe. */
  abstract static class Builder<B extends Builder<B, O>, O> {
    private final List<String> arguments = new ArrayList<>();

    abstract B self();

    abstract O parse(String... arguments);

    /**
     * The options.
     *
     * @throws IllegalArgumentException in one line, if they are wrong
     */
    public final O build() {
      return parse(arguments.toArray(String[]::new));
    }

    /**
     * Any option, by its name on the command line.
     *
     * @param name such as {@code --exit}
     * @param value such as {@code kl:1e-4}; none for a switch
     */
    public final B option(String name, Object... value) {
      arguments.add(name);
      for (Object each : value) {
        arguments.add(String.valueOf(each));
      }
      return self();
    }

    /**
     * The model: a directory on every worker, a name in {@code --archives}, or {@code OWNER/NAME},
     * which each worker pulls. Without it, the built-in one.
     */
    public final B model(String model) {
      return option("--model", model);
    }

    /** Applications of the recurrent block to a position; without it, the training's mean. */
    public final B recurrence(int recurrence) {
      return option("--recurrence", recurrence);
    }

    /** Seed of initial states and, with the row's id, of sampling. */
    public final B seed(long seed) {
      return option("--seed", seed);
    }

    /** Most rows in flight on an executor; 8 without it. */
    public final B batchSize(int batchSize) {
      return option("--batch", batchSize);
    }

    /** The column that names a row; {@code id} without it. */
    public final B idColumn(String name) {
      return option("--id", name);
    }

    /** What stands before the names of the columns that are added. */
    public final B prefix(String prefix) {
      return option("--prefix", prefix);
    }

    /**
     * The largest share of bad rows. Below 1, all rows are checked when the job is put together,
     * and too many bad ones are an error there.
     */
    public final B maxErrors(double share) {
      return option("--max-errors", share);
    }
  }
}
