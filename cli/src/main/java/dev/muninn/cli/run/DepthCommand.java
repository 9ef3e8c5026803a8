package dev.muninn.cli.run;

import dev.muninn.LanguageModel;
import dev.muninn.cli.help.CommandSection;
import dev.muninn.cli.help.HelpHeading;
import dev.muninn.cli.options.ModelOptions;
import dev.muninn.cli.options.NumberConverters;
import dev.muninn.cli.options.OutputOptions;
import dev.muninn.cli.output.Json;
import dev.muninn.cli.output.Units;
import dev.muninn.cli.process.ExitCode;
import dev.muninn.cli.process.ShutdownCancellation;
import dev.muninn.cli.terminal.StandardStreams;
import dev.muninn.decode.Cancellation;
import dev.muninn.decode.DecodingOptions;
import dev.muninn.decode.ExitCriteria;
import dev.muninn.decode.ExitOptions;
import dev.muninn.decode.InitialState;
import dev.muninn.eval.BuiltInTasks;
import dev.muninn.eval.Evaluation;
import dev.muninn.eval.EvaluationSettings;
import dev.muninn.eval.Examples;
import dev.muninn.eval.Measure;
import dev.muninn.eval.ProblemResult;
import dev.muninn.eval.Task;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Shows what depth buys on the tasks that raven-tiny was trained on. */
@Command(
    name = "depth",
    description = {
      "Shows what depth buys on check digits and sums.",
      "A table of the share of right answers and the mean recurrences of a forward, for fixed"
          + " recurrences and for exits. Made for the built-in model."
    },
    customSynopsis = "muninn depth [OPTION]...")
@CommandSection.In(CommandSection.UNDERSTAND)
@HelpHeading("Problems")
public final class DepthCommand implements Callable<Integer> {
  private static final int[] FIXED = {1, 2, 4, 8, 16};
  private static final int MOST_RECURRENCES = 16;
  private static final List<String> EXITS = List.of("kl", "latent-diff");

  private static final List<Column> COLUMNS =
      List.of(
          new Column("check digit of 4", "check-digit:4"),
          new Column("check digit of 8", "check-digit:8"),
          new Column("check digit of 16", "check-digit:16"),
          new Column("sum of 2 numbers", "sum:2"));

  private final StandardStreams streams;
  private final Map<String, String> environment;

  @Mixin private final ModelOptions modelOptions = new ModelOptions();

  @Option(
      names = "--problems",
      paramLabel = "N",
      converter = NumberConverters.Positive.class,
      description = "Problems of each task (default: 300).")
  private int problems = 300;

  @Option(
      names = {"-s", "--seed"},
      paramLabel = "N",
      converter = NumberConverters.Seed.class,
      description = "Seed of problems and states (default: 0).")
  private long seed;

  @Option(
      names = "--batch",
      paramLabel = "N",
      converter = NumberConverters.Positive.class,
      description = "Most sequences in flight (default: 32).")
  private int batchSize = 32;

  @Mixin private final OutputOptions outputOptions = new OutputOptions();

  public DepthCommand(StandardStreams streams, Map<String, String> environment) {
    this.streams = streams;
    this.environment = environment;
  }

  private record Column(String heading, String task) {}

  private record Cell(String task, double accuracy, double meanRecurrences) {}

  /** One row of the table. */
  private record Setting(String name, int recurrence, DecodingOptions options) {}

  @Override
  public Integer call() throws IOException {
    try (LanguageModel model = modelOptions.load(environment);
        ShutdownCancellation shutdown = new ShutdownCancellation()) {
      boolean table = !outputOptions.json();
      Map<String, Evaluation> tasks = tasks(model);
      if (table) {
        print("| recurrences |");
        for (String task : tasks.keySet()) {
          print(" " + task + " |");
        }
        print("\n| --- |" + " --- |".repeat(tasks.size()) + "\n");
      }
      for (Setting setting : settings(model)) {
        if (table) {
          print("| " + setting.name() + " |");
        }
        List<Cell> cells = new ArrayList<>();
        for (Map.Entry<String, Evaluation> task : tasks.entrySet()) {
          List<ProblemResult> results = results(setting, task.getValue(), shutdown.cancellation());
          if (shutdown.cancellation().isCancelled()) {
            print(table ? "\n" : "");
            return ExitCode.INTERRUPTED;
          }
          Cell cell = cell(task.getKey(), task.getValue(), results);
          cells.add(cell);
          if (table) {
            print(
                Units.format(" %.1f %% at %.1f |", 100 * cell.accuracy(), cell.meanRecurrences()));
          }
        }
        print(table ? "\n" : json(setting, cells));
      }
    }
    return ExitCode.OK;
  }

  private void print(String text) throws IOException {
    streams.out().write(text);
    streams.out().flush();
  }

  /** A row of the table as an object on a line. */
  private static String json(Setting setting, List<Cell> cells) {
    return Json.object(generator -> {
      generator.writeStringProperty("setting", setting.name());
      generator.writeArrayPropertyStart("tasks");
      for (Cell cell : cells) {
        generator.writeStartObject();
        generator.writeStringProperty("task", cell.task());
        Json.number(generator, "accuracy", cell.accuracy());
        Json.number(generator, "mean_recurrences", cell.meanRecurrences());
        generator.writeEndObject();
      }
      generator.writeEndArray();
    });
  }

  private static List<Setting> settings(LanguageModel model) {
    List<Setting> settings = new ArrayList<>();
    for (int r : FIXED) {
      settings.add(new Setting("r = " + r, r, DecodingOptions.defaults()));
    }
    List<String> exits = new ArrayList<>(EXITS);
    if (model.architecture().gate().isPresent()) {
      exits.add("gate");
    }
    for (String exit : exits) {
      ExitOptions options = ExitOptions.of(ExitCriteria.parse(exit));
      settings.add(
          new Setting(
              "at most " + MOST_RECURRENCES + ", exit " + exit,
              MOST_RECURRENCES,
              DecodingOptions.defaults().withExit(options)));
    }
    return settings;
  }

  /** The tasks by the headings of their columns. */
  private Map<String, Evaluation> tasks(LanguageModel model) {
    Map<String, Evaluation> tasks = new LinkedHashMap<>();
    for (Column column : COLUMNS) {
      Task task = BuiltInTasks.parse(column.task(), problems, seed).orElseThrow().getFirst();
      Examples none = new Examples(task, task.separator(), seed);
      tasks.put(column.heading(), new Evaluation(model, task, none, 0));
    }
    return tasks;
  }

  private List<ProblemResult> results(
      Setting setting, Evaluation evaluation, Cancellation cancellation) {
    List<ProblemResult> results = new ArrayList<>();
    EvaluationSettings settings =
        EvaluationSettings.of(setting.recurrence())
            .withInitialState(InitialState.random(seed))
            .withDecoding(setting.options());
    evaluation.run(settings, batchSize, number -> true, results::add, cancellation);
    return results;
  }

  private static Cell cell(String heading, Evaluation evaluation, List<ProblemResult> results) {
    Measure accuracy = Measure.of(evaluation.task(), results, false).getFirst();
    return new Cell(heading, accuracy.value(), ProblemResult.Depth.sum(results).mean());
  }
}
