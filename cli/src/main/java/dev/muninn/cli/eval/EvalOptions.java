package dev.muninn.cli.eval;

import dev.muninn.cli.help.HelpHeading;
import dev.muninn.cli.options.CacheOptions;
import dev.muninn.cli.options.EarlyExitOptions;
import dev.muninn.cli.options.NumberConverters;
import dev.muninn.cli.options.SamplerOptions;
import dev.muninn.cli.options.StateOptions;
import dev.muninn.cli.options.StrategyOptions;
import dev.muninn.cli.options.UsageException;
import dev.muninn.cli.terminal.StandardStreams;
import dev.muninn.decode.InitialState;
import dev.muninn.decode.SamplingOptions;
import dev.muninn.eval.BuiltInTasks;
import dev.muninn.eval.Evaluation;
import dev.muninn.eval.EvaluationSettings;
import dev.muninn.eval.Examples;
import dev.muninn.eval.Problem;
import dev.muninn.eval.Task;
import dev.muninn.model.RecurrentModel;
import dev.muninn.serve.GenerationRequest;
import dev.muninn.serve.ModelService;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** What is evaluated and how, wherever it is computed. */
public final class EvalOptions {
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
          "--partitions",
          "--json",
          "--verbose",
          "--help");

  private static final String FOR_EXACT_MATCH = "is for exact match";
  private static final int BATCH_SIZE = 32;
  private static final int MAX_TOKENS = 128;

  @Mixin private final TaskOptions taskOptions = new TaskOptions();

  @Mixin private final DepthsOptions depthOptions = new DepthsOptions();

  @Mixin private final EarlyExitOptions exitOptions = new EarlyExitOptions();

  @Mixin private final CacheOptions cacheOptions = new CacheOptions();

  @Mixin private final StrategyOptions strategyOptions = new StrategyOptions();

  @Mixin private final SamplerOptions samplerOptions = new SamplerOptions();

  @Mixin private final WidthOptions widthOptions = new WidthOptions();

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
    private String pool;

    @Option(
        names = "--separator",
        paramLabel = "TEXT",
        description = "Text after each example (default: a blank line; ; for a built-in task).")
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

  /** Refuses options that exclude each other, before anything is read. */
  public void requireConsistency() {
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

  /** Says once where options have no effect on a model. */
  void warnIfUnused(StandardStreams streams, RecurrentModel model) {
    depthOptions.warnIfUnused(streams, model);
  }

  /** How problems are computed, at no particular number of recurrences. */
  public EvaluationSettings settings() {
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

  /** The tasks, and what their examples are drawn from. */
  public EvalTasks tasks(EvalTasks.Reader reader) throws IOException {
    List<Task> tasks =
        EvalTasks.named(taskOptions.names, taskOptions.problems, depthOptions.seed(), reader);
    return new EvalTasks(
        tasks,
        taskOptions.pool == null ? Optional.empty() : Optional.of(reader.read(taskOptions.pool)));
  }

  /**
   * The cells of the table, in its order.
   *
   * @param mean recurrences where the options say nothing
   */
  public List<Cell> cells(List<Task> tasks, int mean) {
    TreeSet<Integer> recurrences =
        new TreeSet<>(depthOptions.recurrences == null ? List.of(mean) : depthOptions.recurrences);
    List<Cell> cells = new ArrayList<>();
    for (Task task : tasks) {
      for (int shots : new TreeSet<>(taskOptions.shots)) {
        for (int recurrence : recurrences) {
          cells.add(new Cell(task, shots, recurrence));
        }
      }
    }
    return cells;
  }

  /** A cell's task with its shots, laid out for a model; the same at all recurrences. */
  public Evaluation evaluation(ModelService model, EvalTasks tasks, Cell cell) {
    Task task = cell.task();
    String separator = taskOptions.separator == null ? task.separator() : taskOptions.separator;
    Examples examples = new Examples(tasks.pool().orElse(task), separator, depthOptions.seed());
    return new Evaluation(model, task, examples, cell.shots());
  }

  /** Most problems in flight. */
  public int batchSize() {
    return widthOptions.batchSize == null ? BATCH_SIZE : widthOptions.batchSize;
  }

  /** Whether the answer of most samples counts. */
  public boolean vote() {
    return widthOptions.vote;
  }

  /** Refuses options that these tasks cannot honour. */
  public void requireFitting(List<Task> tasks, EvaluationSettings settings) {
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
  }

  /**
   * What makes results, but for what stands with each of them: names with texts.
   *
   * @param model its name
   * @param modelHash tells it from others of its name
   * @param spec the command, whose options that change results are told
   */
  public Map<String, String> header(
      String model, String modelHash, EvalTasks tasks, CommandSpec spec) {
    Map<String, String> header = new LinkedHashMap<>();
    header.put("model", model);
    header.put("model_hash", modelHash);
    for (Task task : tasks.tasks()) {
      header.put("task " + task.name(), task.hash());
    }
    tasks.pool().ifPresent(task -> header.put("pool " + task.name(), task.hash()));
    for (OptionSpec option : spec.options()) {
      if (option.getValue() != null && !NO_SETTINGS.contains(option.longestName())) {
        header.put(option.longestName(), option.getValue().toString());
      }
    }
    return header;
  }
}
