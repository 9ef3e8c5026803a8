package dev.muninn.cli.quantize;

import dev.muninn.cli.eval.EvalTasks;
import dev.muninn.cli.help.HelpHeading;
import dev.muninn.cli.options.NumberConverters;
import dev.muninn.cli.options.UsageException;
import dev.muninn.eval.BuiltInTasks;
import dev.muninn.eval.Task;
import dev.muninn.eval.TaskFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Option;

/** Whether all types are compared, and by what. */
@HelpHeading("All types side by side")
final class ComparisonOptions {
  private static final String COMPARE = "--compare";

  /** What else means something in a comparison. */
  private static final Set<String> ALLOWED =
      Set.of(
          COMPARE,
          "--tasks",
          "--problems",
          "--recurrence",
          "--repetitions",
          "--calibrate",
          "--model",
          "--json",
          "--verbose");

  @Option(
      names = COMPARE,
      description =
          "Instead of writing a model: prepare it in all types in a temporary directory, and compare"
              + " size, speed and accuracy. All types take turns.")
  private boolean compare;

  @Option(
      names = "--tasks",
      paramLabel = "TASK,TASK...",
      split = ",",
      description =
          "Tasks for the accuracy, as 'muninn eval' takes them: JSONL files, or built-in ones: "
              + BuiltInTasks.NAMES
              + ".")
  private List<String> tasks = List.of();

  @Option(
      names = "--problems",
      paramLabel = "N",
      converter = NumberConverters.Positive.class,
      description = "First N problems of each task (default: all; 300 of a built-in one).")
  private Integer problems;

  @Option(
      names = {"-r", "--recurrence"},
      paramLabel = "N,N...",
      split = ",",
      converter = NumberConverters.Positive.class,
      description = "Recurrences (default: the training's mean).")
  private List<Integer> recurrences;

  @Option(
      names = "--repetitions",
      paramLabel = "N",
      converter = NumberConverters.Positive.class,
      description = "Timed runs of each, of which the median counts (default: 3).")
  private Integer repetitions;

  /** Whether the comparison is what is asked for; refuses options of the other use. */
  boolean asked(CommandSpec spec) {
    for (OptionSpec option : spec.commandLine().getParseResult().matchedOptions()) {
      String name = option.longestName();
      if (compare && !ALLOWED.contains(name)) {
        throw new UsageException(COMPARE + " prepares all types and keeps none: leave out " + name);
      }
    }
    if (!compare) {
      refuse("--tasks", !tasks.isEmpty());
      refuse("--problems", problems != null);
      refuse("--recurrence", recurrences != null);
      refuse("--repetitions", repetitions != null);
    } else if (problems != null && tasks.isEmpty()) {
      throw new UsageException("--problems needs --tasks");
    }
    return compare;
  }

  private static void refuse(String option, boolean given) {
    if (given) {
      throw new UsageException(option + " needs " + COMPARE);
    }
  }

  /** The tasks, read before the work begins. */
  List<Task> tasks() throws IOException {
    return EvalTasks.named(tasks, problems, 0, name -> TaskFile.read(Path.of(name)));
  }

  /**
   * Recurrences in ascending order.
   *
   * @param mean what they are where nothing was said
   */
  List<Integer> recurrences(int mean) {
    return List.copyOf(new TreeSet<>(recurrences == null ? List.of(mean) : recurrences));
  }

  int repetitions() {
    return repetitions == null ? 3 : repetitions;
  }
}
