package dev.muninn.spark;

import dev.muninn.cli.eval.Cell;
import dev.muninn.cli.eval.EvalOptions;
import dev.muninn.cli.eval.EvalReport;
import dev.muninn.cli.eval.EvalTasks;
import dev.muninn.cli.eval.Results;
import dev.muninn.cli.help.HelpHeading;
import dev.muninn.cli.options.NumberConverters;
import dev.muninn.cli.options.OutputOptions;
import dev.muninn.eval.TaskFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** What {@code eval} can say. */
@Command(
    name = "Evaluate",
    description = "Says how often a model is right, by recurrences, on Apache Spark.",
    customSynopsis = "spark-submit --class dev.muninn.spark.Evaluate JAR [OPTION]... TASK...")
final class EvaluateArguments implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Mixin private final ModelOptions model = new ModelOptions();

  @Mixin private final EvalOptions options = new EvalOptions();

  @Mixin private final PartOptions parts = new PartOptions();

  @Mixin private final OutputOptions output = new OutputOptions();

  @HelpHeading("Job")
  private static final class PartOptions {
    @Option(
        names = "--partitions",
        paramLabel = "N",
        converter = NumberConverters.Positive.class,
        description = "Parts of the problems (default: by their number, --batch and executors).")
    private Integer partitions;

    @Option(
        names = "--results",
        paramLabel = "FILE",
        description = "JSONL of all results, on the driver; continues an interrupted run.")
    private Path results;
  }

  /** Reads arguments that were read before. */
  static EvaluateArguments parse(String... values) {
    EvaluateArguments arguments = new EvaluateArguments();
    new CommandLine(arguments)
        .setExpandAtFiles(false)
        .setAllowOptionsAsOptionParameters(true)
        .parseArgs(values);
    return arguments;
  }

  EvalOptions options() {
    return options;
  }

  ModelOptions model() {
    return model;
  }

  /** The parts that were asked for; 0 if none. */
  int partitions() {
    return parts.partitions == null ? 0 : parts.partitions;
  }

  @Override
  public Integer call() throws IOException {
    options.requireConsistency();
    ModelSource source = model.source();
    HashMap<String, byte[]> files = new HashMap<>();
    EvalTasks tasks =
        options.tasks(name -> {
          // Checked here, then sent to executors as it is.
          byte[] contents = TaskFile.contents(Path.of(name));
          files.put(name, contents);
          return TaskFile.read(name, contents);
        });
    options.requireFitting(tasks.tasks(), options.settings());
    String[] values = spec.commandLine().getParseResult().originalArgs().toArray(String[]::new);
    return JobCommand.inSession(
        "Muninn Evaluate",
        spark -> {
          EvaluateJob job = new EvaluateJob(spark, source, values, files);
          EvaluateJob.Described described = job.describe();
          Map<String, String> header = options.header(source.name(), described.hash(), tasks, spec);
          try (Results results = Results.open(parts.results, header, tasks.tasks())) {
            List<Cell.Outcome> outcomes = job.run(this, tasks, described.meanRecurrence(), results);
            EvalReport report = new EvalReport(header, outcomes);
            System.out.print(output.json() ? report.json() : report.table());
            System.out.flush();
          }
          return 0;
        });
  }
}
