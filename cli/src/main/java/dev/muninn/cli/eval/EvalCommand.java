package dev.muninn.cli.eval;

import dev.muninn.LanguageModel;
import dev.muninn.cli.help.CommandSection;
import dev.muninn.cli.options.DepthWarning;
import dev.muninn.cli.options.ModelOptions;
import dev.muninn.cli.options.OutputOptions;
import dev.muninn.cli.options.UsageException;
import dev.muninn.cli.output.Units;
import dev.muninn.cli.plot.ChartFile;
import dev.muninn.cli.process.ExitCode;
import dev.muninn.cli.process.ShutdownCancellation;
import dev.muninn.cli.terminal.Progress;
import dev.muninn.cli.terminal.StandardStreams;
import dev.muninn.cli.terminal.Terminal;
import dev.muninn.decode.Cancellation;
import dev.muninn.eval.Evaluation;
import dev.muninn.eval.EvaluationSettings;
import dev.muninn.eval.Hash;
import dev.muninn.eval.Measure;
import dev.muninn.eval.Problem;
import dev.muninn.eval.ProblemResult;
import dev.muninn.eval.Task;
import dev.muninn.eval.TaskFile;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Says how often a model is right, by recurrences. */
@Command(
    name = "eval",
    description = {
      "Says how often a model is right, by recurrences.",
      "Tasks are multiple choice, by log-likelihood; exact match, by generation; or texts, by"
          + " perplexity. cli/docs/tasks.md describes their lines."
    },
    customSynopsis = "muninn eval [OPTION]... TASK...")
@CommandSection.In(CommandSection.MEASURE)
public final class EvalCommand implements Callable<Integer> {
  private final StandardStreams streams;
  private final Map<String, String> environment;

  @Spec private CommandSpec spec;

  @Mixin private final ModelOptions modelOptions = new ModelOptions();

  @Mixin private final EvalOptions options = new EvalOptions();

  @Mixin private final EvalOutputOptions outputOptions = new EvalOutputOptions();

  public EvalCommand(StandardStreams streams, Map<String, String> environment) {
    this.streams = streams;
    this.environment = environment;
  }

  private static final class EvalOutputOptions extends OutputOptions {
    @Option(
        names = "--results",
        paramLabel = "FILE",
        description = "JSONL of all results; continues an interrupted run.")
    private Path results;

    @Option(
        names = "--plot",
        paramLabel = "FILE",
        description = "Draw accuracy by recurrences, as .svg or .png.")
    private Path plot;
  }

  @Override
  public Integer call() throws IOException {
    options.requireConsistency();
    EvaluationSettings settings = options.settings();
    EvalTasks tasks = options.tasks(name -> TaskFile.read(Path.of(name)));
    options.requireFitting(tasks.tasks(), settings);
    if (outputOptions.plot != null) {
      requireOneKind(tasks.tasks());
      ChartFile.requireWritable(outputOptions.plot);
    }
    try (LanguageModel model = modelOptions.load(environment);
        ShutdownCancellation shutdown = new ShutdownCancellation()) {
      List<Cell> cells = options.cells(tasks.tasks(), model.architecture().defaultRecurrence());
      DepthWarning.check(
          streams, model.architecture(), cells.stream().map(Cell::recurrence).toList());
      options.warnIfUnused(streams, model.architecture());
      Map<Cell, Evaluation> evaluations = new LinkedHashMap<>();
      Map<List<Object>, Evaluation> laidOut = new HashMap<>();
      for (Cell cell : cells) {
        evaluations.put(
            cell,
            laidOut.computeIfAbsent(
                List.of(cell.task().name(), cell.shots()),
                key -> options.evaluation(model, tasks, cell)));
      }
      Map<String, String> header = options.header(modelOptions.name(), Hash.of(model), tasks, spec);
      try (Results results = Results.open(outputOptions.results, header, tasks.tasks())) {
        if (!run(evaluations, settings, results, shutdown.cancellation())) {
          return ExitCode.INTERRUPTED;
        }
        List<Cell.Outcome> outcomes = new ArrayList<>();
        for (Cell cell : cells) {
          outcomes.add(
              Cell.Outcome.of(cell, List.copyOf(results.of(cell).values()), options.vote()));
        }
        report(new EvalReport(header, outcomes), modelOptions.name());
      }
    }
    return ExitCode.OK;
  }

  private static void requireOneKind(List<Task> tasks) {
    long texts =
        tasks.stream().filter(task -> task.problems().getFirst() instanceof Problem.Text).count();
    if (texts > 0 && texts < tasks.size()) {
      throw new UsageException("--plot draws accuracies or perplexities, not both");
    }
  }

  /** Computes what is missing; false if it was interrupted. */
  private boolean run(
      Map<Cell, Evaluation> cells,
      EvaluationSettings settings,
      Results results,
      Cancellation cancellation)
      throws IOException {
    long all = 0;
    long missing = 0;
    for (Cell cell : cells.keySet()) {
      all += cell.task().problems().size();
      missing += cell.task().problems().size() - results.of(cell).size();
    }
    long[] done = {all - missing};
    try (Progress progress = new Progress(Terminal.isStandardError(), "problems", missing)) {
      for (Map.Entry<Cell, Evaluation> entry : cells.entrySet()) {
        Cell cell = entry.getKey();
        Set<Integer> known = Set.copyOf(results.of(cell).keySet());
        if (known.size() == cell.task().problems().size()) {
          continue;
        }
        entry
            .getValue()
            .run(
                settings.withRecurrence(cell.recurrence()),
                options.batchSize(),
                number -> !known.contains(number),
                result -> {
                  add(results, cell, result);
                  done[0]++;
                  progress.step();
                },
                cancellation);
        if (cancellation.isCancelled()) {
          break;
        }
      }
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
    if (done[0] == all) {
      return true;
    }
    streams
        .err()
        .println(
            "muninn: interrupted after "
                + done[0]
                + " of "
                + Units.count(all, "problem")
                + (outputOptions.results == null ? "" : "; the same command continues"));
    return false;
  }

  private static void add(Results results, Cell cell, ProblemResult result) {
    try {
      results.add(cell, result);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void report(EvalReport report, String model) throws IOException {
    if (outputOptions.plot != null) {
      List<Cell.Curve> curves =
          report.curves().stream()
              .filter(curve -> !curve.measure().equals(Measure.ACCURACY_BY_LENGTH))
              .toList();
      AccuracyPlot.write(outputOptions.plot, model, curves);
    }
    streams.out().write(outputOptions.json() ? report.json() : report.table());
    streams.out().flush();
  }
}
