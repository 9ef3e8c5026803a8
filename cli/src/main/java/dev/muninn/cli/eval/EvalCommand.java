package dev.muninn.cli.eval;

import dev.muninn.LanguageModel;
import dev.muninn.cli.help.CommandSection;
import dev.muninn.cli.help.HelpHeading;
import dev.muninn.cli.options.CacheOptions;
import dev.muninn.cli.options.EarlyExitOptions;
import dev.muninn.cli.options.ModelOptions;
import dev.muninn.cli.options.NumberConverters;
import dev.muninn.cli.options.OutputOptions;
import dev.muninn.cli.options.SamplerOptions;
import dev.muninn.cli.options.StateOptions;
import dev.muninn.cli.options.StrategyOptions;
import dev.muninn.cli.options.UsageException;
import dev.muninn.cli.output.Units;
import dev.muninn.cli.plot.ChartFile;
import dev.muninn.cli.process.ExitCode;
import dev.muninn.cli.process.ShutdownCancellation;
import dev.muninn.cli.terminal.Progress;
import dev.muninn.cli.terminal.StandardStreams;
import dev.muninn.cli.terminal.Terminal;
import dev.muninn.decode.Cancellation;
import dev.muninn.decode.InitialState;
import dev.muninn.decode.SamplingOptions;
import dev.muninn.eval.BuiltInTasks;
import dev.muninn.eval.Evaluation;
import dev.muninn.eval.EvaluationSettings;
import dev.muninn.eval.Examples;
import dev.muninn.eval.Hash;
import dev.muninn.eval.Measure;
import dev.muninn.eval.Problem;
import dev.muninn.eval.ProblemResult;
import dev.muninn.eval.Task;
import dev.muninn.eval.TaskFile;
import dev.muninn.serve.GenerationRequest;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Says how often a model is right, by recurrences. */
@Command(
    name = "eval",
    description = {
      "Says how often a model is right, by recurrences.",
      "Tasks are multiple choice, by log-likelihood; exact match, by generation; or texts, by"
          + " perplexity. The README says how a line of each looks."
    },
    customSynopsis = "muninn eval [OPTION]... TASK...")
@CommandSection.In(CommandSection.MEASURE)
public final class EvalCommand implements Callable<Integer> {
  /** What does not change a result, or stands with each result. */
  private static final Set<String> NO_SETTINGS =
      Set.of(
          "--model",
          "--threads",
          "--recurrence",
          "--problems",
          "--shots",
          "--pool",
          "--vote",
          "--batch",
          "--results",
          "--plot",
          "--json",
          "--verbose",
          "--help");

  private static final String MODEL = "model";
  private static final String FOR_EXACT_MATCH = "is for exact match";
  private static final int BUILT_IN_PROBLEMS = 300;
  private static final int BATCH_SIZE = 32;
  private static final int MAX_TOKENS = 128;

  private final StandardStreams streams;
  private final Map<String, String> environment;

  @Spec private CommandSpec spec;

  @Mixin private final ModelOptions modelOptions = new ModelOptions();

  @Mixin private final TaskOptions taskOptions = new TaskOptions();

  @Mixin private final DepthsOptions depthOptions = new DepthsOptions();

  @Mixin private final EarlyExitOptions exitOptions = new EarlyExitOptions();

  @Mixin private final CacheOptions cacheOptions = new CacheOptions();

  @Mixin private final StrategyOptions strategyOptions = new StrategyOptions();

  @Mixin private final SamplerOptions samplerOptions = new SamplerOptions();

  @Mixin private final WidthOptions widthOptions = new WidthOptions();

  @Mixin private final EvalOutputOptions outputOptions = new EvalOutputOptions();

  public EvalCommand(StandardStreams streams, Map<String, String> environment) {
    this.streams = streams;
    this.environment = environment;
  }

  @HelpHeading("Tasks")
  private static final class TaskOptions {
    @Parameters(
        arity = "0..*",
        paramLabel = "TASK",
        description =
            "A JSONL file, one problem a line, or a built-in task: " + BuiltInTasks.NAMES + ".")
    private List<String> names = List.of();

    @Option(
        names = "--problems",
        paramLabel = "N",
        converter = NumberConverters.Positive.class,
        description = "First N problems of each task (default: all; 300 of a built-in one).")
    private Integer problems;

    @Option(
        names = "--shots",
        paramLabel = "N,N...",
        split = ",",
        converter = NumberConverters.Count.class,
        description = "Solved examples before each question (default: 0).")
    private List<Integer> shots = List.of(0);

    @Option(
        names = "--pool",
        paramLabel = "FILE",
        description = "Problems to draw them from (default: the task's others).")
    private Path pool;

    @Option(
        names = "--separator",
        paramLabel = "TEXT",
        description = "Stands behind each example (default: a blank line; ; for a built-in task).")
    private String separator;
  }

  private static final class DepthsOptions extends StateOptions {
    @Option(
        names = {"-r", "--recurrence"},
        paramLabel = "N,N...",
        split = ",",
        converter = NumberConverters.Positive.class,
        description = "Recurrences (default: the training's mean).")
    private List<Integer> recurrences;
  }

  @HelpHeading("Answers")
  private static final class WidthOptions {
    @Option(
        names = {"-n", "--max-tokens"},
        paramLabel = "N",
        converter = NumberConverters.Positive.class,
        description = "Most tokens of an answer, where its line does not say (default: 128).")
    private Integer maxTokens;

    @Option(
        names = "--samples",
        paramLabel = "N",
        converter = NumberConverters.Positive.class,
        description = "Answers to each question (default: 1); their mean counts.")
    private int samples = 1;

    @Option(names = "--vote", description = "The answer of most samples counts.")
    private boolean vote;

    @Option(
        names = "--batch",
        paramLabel = "N",
        converter = NumberConverters.Positive.class,
        description = "Most problems in flight (default: 32).")
    private Integer batchSize;
  }

  private static final class EvalOutputOptions extends OutputOptions {
    @Option(
        names = "--results",
        paramLabel = "FILE",
        description = "JSONL of all results; goes on where a run was interrupted.")
    private Path results;

    @Option(
        names = "--plot",
        paramLabel = "FILE",
        description = "Draw accuracy by recurrences, as .svg or .png.")
    private Path plot;
  }

  @Override
  public Integer call() throws IOException {
    requireConsistency();
    EvaluationSettings settings = settings();
    List<Task> tasks = tasks();
    Optional<Task> pool =
        taskOptions.pool == null ? Optional.empty() : Optional.of(TaskFile.read(taskOptions.pool));
    requireFitting(tasks, settings);
    if (outputOptions.plot != null) {
      ChartFile.requireWritable(outputOptions.plot);
    }
    try (LanguageModel model = modelOptions.load(environment);
        ShutdownCancellation shutdown = new ShutdownCancellation()) {
      TreeSet<Integer> recurrences =
          depthOptions.recurrences == null
              ? new TreeSet<>(List.of(model.config().meanRecurrence()))
              : new TreeSet<>(depthOptions.recurrences);
      Map<Cell, Evaluation> cells = new LinkedHashMap<>();
      for (Task task : tasks) {
        for (int shots : new TreeSet<>(taskOptions.shots)) {
          String separator =
              taskOptions.separator == null ? task.separator() : taskOptions.separator;
          Examples examples = new Examples(pool.orElse(task), separator, depthOptions.seed());
          Evaluation evaluation = new Evaluation(model, task, examples, shots);
          for (int recurrence : recurrences) {
            cells.put(new Cell(task, shots, recurrence), evaluation);
          }
        }
      }
      Map<String, String> header = header(model, tasks, pool);
      try (Results results = results(header, tasks)) {
        if (!run(cells, settings, results, shutdown.cancellation())) {
          return ExitCode.INTERRUPTED;
        }
        List<Cell.Outcome> outcomes = new ArrayList<>();
        for (Cell cell : cells.keySet()) {
          outcomes.add(
              Cell.Outcome.of(cell, List.copyOf(results.of(cell).values()), widthOptions.vote));
        }
        report(new EvalReport(header, outcomes), header.get(MODEL));
      }
    }
    return ExitCode.OK;
  }

  /** Refuses options that exclude each other, before anything is read. */
  private void requireConsistency() {
    if (taskOptions.names.isEmpty()) {
      throw new UsageException(
          "no task: give a JSONL file or a built-in task: " + BuiltInTasks.NAMES);
    }
    if (taskOptions.shots.stream().allMatch(shots -> shots == 0)) {
      refuse("--pool", taskOptions.pool != null, "needs --shots above 0");
      refuse("--separator", taskOptions.separator != null, "needs --shots above 0");
    }
    refuse("--vote", widthOptions.vote && widthOptions.samples == 1, "needs --samples above 1");
    refuse(
        "--batch",
        widthOptions.batchSize != null && !strategyOptions.isSequential(),
        "excludes --draft-recurrence and --parallel, which take one problem at a time");
  }

  private static void refuse(String option, boolean refused, String why) {
    if (refused) {
      throw new UsageException(option + " " + why);
    }
  }

  private EvaluationSettings settings() {
    InitialState state = depthOptions.initialState();
    SamplingOptions sampling = samplerOptions.samplingOptions(depthOptions.seed());
    if (widthOptions.samples > 1 && sampling.temperature() == 0 && state.scale() == 0) {
      throw new UsageException(
          "--samples needs --temperature above 0 or --state random: all would be the same");
    }
    return new EvaluationSettings(
        GenerationRequest.MODEL_DEFAULT,
        state,
        strategyOptions.decodingOptions(exitOptions.exitOptions(), cacheOptions),
        sampling,
        widthOptions.samples,
        widthOptions.maxTokens == null ? MAX_TOKENS : widthOptions.maxTokens);
  }

  private List<Task> tasks() throws IOException {
    List<Task> tasks = new ArrayList<>();
    Set<String> names = new HashSet<>();
    for (String name : taskOptions.names) {
      int problems = taskOptions.problems == null ? BUILT_IN_PROBLEMS : taskOptions.problems;
      Optional<List<Task>> builtIn = BuiltInTasks.parse(name, problems, depthOptions.seed());
      if (builtIn.isPresent()) {
        tasks.addAll(builtIn.get());
      } else {
        Task task = TaskFile.read(Path.of(name));
        tasks.add(taskOptions.problems == null ? task : task.first(taskOptions.problems));
      }
    }
    for (Task task : tasks) {
      if (!names.add(task.name())) {
        throw new UsageException("two tasks are called " + task.name());
      }
    }
    return tasks;
  }

  /** Refuses options that these tasks cannot honour. */
  private void requireFitting(List<Task> tasks, EvaluationSettings settings) {
    List<Task> scored =
        tasks.stream()
            .filter(task -> !(task.problems().getFirst() instanceof Problem.Answer))
            .toList();
    if (scored.size() == tasks.size()) {
      refuse("--max-tokens", widthOptions.maxTokens != null, FOR_EXACT_MATCH);
      refuse(
          "sampling",
          !settings.sampling().equals(SamplingOptions.greedy().withSeed(depthOptions.seed())),
          FOR_EXACT_MATCH);
    }
    if (!scored.isEmpty()) {
      String why = FOR_EXACT_MATCH + ", which " + scored.getFirst().name() + " is not";
      refuse("--samples", settings.samples() > 1, why);
      refuse("--draft-recurrence or --parallel", !strategyOptions.isSequential(), why);
    }
    if (outputOptions.plot != null) {
      long texts =
          tasks.stream().filter(task -> task.problems().getFirst() instanceof Problem.Text).count();
      if (texts > 0 && texts < tasks.size()) {
        throw new UsageException("--plot draws accuracies or perplexities, not both");
      }
    }
  }

  /** What makes results, but for what stands with each of them. */
  private Map<String, String> header(LanguageModel model, List<Task> tasks, Optional<Task> pool) {
    Map<String, String> header = new LinkedHashMap<>();
    header.put(MODEL, modelOptions.name());
    header.put("model_hash", Hash.of(model));
    for (Task task : tasks) {
      header.put("task " + task.name(), task.hash());
    }
    pool.ifPresent(task -> header.put("pool " + task.name(), task.hash()));
    for (OptionSpec option : spec.options()) {
      if (option.getValue() != null && !NO_SETTINGS.contains(option.longestName())) {
        header.put(option.longestName(), option.getValue().toString());
      }
    }
    return header;
  }

  private Results results(Map<String, String> header, List<Task> tasks) throws IOException {
    if (outputOptions.results == null) {
      return new Results();
    }
    Map<String, List<Problem>> problems = new HashMap<>();
    for (Task task : tasks) {
      problems.put(task.name(), task.problems());
    }
    return new Results(outputOptions.results, header, problems::get);
  }

  /** Computes what is missing; false if it was interrupted. */
  private boolean run(
      Map<Cell, Evaluation> cells,
      EvaluationSettings settings,
      Results results,
      Cancellation cancellation)
      throws IOException {
    int batchSize = widthOptions.batchSize == null ? BATCH_SIZE : widthOptions.batchSize;
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
                batchSize,
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
                + (outputOptions.results == null ? "" : "; the same command goes on"));
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
