package dev.muninn.cli;

import dev.muninn.Cancellation;
import dev.muninn.GenerationRequest;
import dev.muninn.GenerationResult;
import dev.muninn.LanguageModel;
import dev.muninn.decode.DecodingOptions;
import dev.muninn.decode.ExitCriteria;
import dev.muninn.decode.ExitOptions;
import dev.muninn.decode.InitialState;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.function.Function;
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
final class DepthCommand implements Callable<Integer> {
  private static final int[] FIXED = {1, 2, 4, 8, 16};
  private static final int MOST_RECURRENCES = 16;
  private static final List<String> EXITS = List.of("kl", "latent-diff");

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

  DepthCommand(StandardStreams streams, Map<String, String> environment) {
    this.streams = streams;
    this.environment = environment;
  }

  private record Problem(String question, String answer) {}

  private record Cell(String task, double accuracy, double meanRecurrences) {}

  private record Task(String name, Function<Random, Problem> problem) {}

  /** One row of the table. */
  private record Setting(String name, int recurrence, DecodingOptions options) {}

  @Override
  public Integer call() throws IOException {
    List<Task> tasks =
        List.of(
            new Task("check digit of 4", random -> checkDigit(random, 4)),
            new Task("check digit of 8", random -> checkDigit(random, 8)),
            new Task("check digit of 16", random -> checkDigit(random, 16)),
            new Task("sum of 2 numbers", DepthCommand::sum));
    try (LanguageModel model = modelOptions.load(environment);
        ShutdownCancellation shutdown = new ShutdownCancellation()) {
      boolean table = !outputOptions.json();
      if (table) {
        print("| recurrences |");
        for (Task task : tasks) {
          print(" " + task.name() + " |");
        }
        print("\n| --- |" + " --- |".repeat(tasks.size()) + "\n");
      }
      for (Setting setting : settings()) {
        if (table) {
          print("| " + setting.name() + " |");
        }
        List<Cell> cells = new ArrayList<>();
        for (Task task : tasks) {
          cells.add(cell(model, setting, task, shutdown.cancellation()));
          if (shutdown.cancellation().isCancelled()) {
            print(table ? "\n" : "");
            return ExitCode.INTERRUPTED;
          }
          if (table) {
            Cell cell = cells.getLast();
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

  private static List<Setting> settings() {
    List<Setting> settings = new ArrayList<>();
    for (int r : FIXED) {
      settings.add(new Setting("r = " + r, r, DecodingOptions.defaults()));
    }
    for (String exit : EXITS) {
      ExitOptions options = ExitOptions.of(ExitCriteria.parse(exit));
      settings.add(
          new Setting(
              "at most " + MOST_RECURRENCES + ", exit " + exit,
              MOST_RECURRENCES,
              DecodingOptions.defaults().withExit(options)));
    }
    return settings;
  }

  private Cell cell(LanguageModel model, Setting setting, Task task, Cancellation cancellation) {
    Random random = new Random(seed);
    List<Problem> drawn = new ArrayList<>();
    List<GenerationRequest> requests = new ArrayList<>();
    for (int i = 0; i < problems; i++) {
      Problem problem = task.problem().apply(random);
      drawn.add(problem);
      requests.add(
          GenerationRequest.builder(problem.question())
              .maxTokens(problem.answer().length() + 1)
              .recurrence(setting.recurrence())
              .initialState(InitialState.random(seed))
              .decoding(setting.options())
              .build());
    }
    List<Optional<GenerationResult>> results =
        model.generateAll(requests, batchSize, (result, index) -> {}, cancellation);
    int right = 0;
    long recurrences = 0;
    long forwards = 0;
    for (int i = 0; i < problems; i++) {
      if (results.get(i).isEmpty()) {
        continue;
      }
      GenerationResult result = results.get(i).get();
      if (result.text().orElse("").equals(drawn.get(i).answer())) {
        right++;
      }
      for (int recurrence : result.recurrences()) {
        recurrences += recurrence;
        forwards++;
      }
    }
    return new Cell(
        task.name(), (double) right / problems, (double) recurrences / Math.max(1, forwards));
  }

  /** A digit string and the last digit of its digit sum. */
  private static Problem checkDigit(Random random, int digits) {
    StringBuilder question = new StringBuilder();
    int sum = 0;
    for (int i = 0; i < digits; i++) {
      int digit = random.nextInt(10);
      sum += digit;
      question.append(digit);
    }
    return new Problem(question.append('=').toString(), Integer.toString(sum % 10));
  }

  private static Problem sum(Random random) {
    int first = random.nextInt(100);
    int second = random.nextInt(100);
    return new Problem(first + "+" + second + "=", Integer.toString(first + second));
  }
}
