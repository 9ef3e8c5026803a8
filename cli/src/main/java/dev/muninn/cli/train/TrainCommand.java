package dev.muninn.cli.train;

import dev.muninn.cli.cache.EmbeddedModel;
import dev.muninn.cli.help.CommandSection;
import dev.muninn.cli.options.OutputOptions;
import dev.muninn.cli.options.UsageException;
import dev.muninn.cli.output.Json;
import dev.muninn.cli.output.Units;
import dev.muninn.cli.plot.ChartFile;
import dev.muninn.cli.process.ExitCode;
import dev.muninn.cli.process.ShutdownCancellation;
import dev.muninn.cli.terminal.StandardStreams;
import dev.muninn.family.huginn.HuginnConfig;
import dev.muninn.text.Tokenizer;
import dev.muninn.train.Evaluation;
import dev.muninn.train.Trainer;
import dev.muninn.train.TrainingDirectory;
import dev.muninn.train.TrainingPlan;
import dev.muninn.train.data.TrainingData;
import dev.muninn.weights.Checkpoint;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** Trains a model. */
@Command(
    name = "train",
    description = {
      "Trains a model, from nothing or from another's weights.",
      "Without more options than --out it makes raven-tiny, the built-in model."
    },
    customSynopsis = "muninn train --out DIR [OPTION]...")
@CommandSection.In(CommandSection.MODELS)
public final class TrainCommand implements Callable<Integer> {
  /** A step of a large model takes long, and the last one is saved before the JVM ends. */
  private static final int PATIENCE_SECONDS = 120;

  private final StandardStreams streams;
  private final Map<String, String> environment;

  @Spec private CommandSpec command;

  @Mixin private final ModelShapeOptions modelOptions = new ModelShapeOptions();
  @Mixin private final ObjectiveOptions objectiveOptions = new ObjectiveOptions();
  @Mixin private final DataOptions dataOptions = new DataOptions();
  @Mixin private final ScheduleOptions scheduleOptions = new ScheduleOptions();
  @Mixin private final FileOptions fileOptions = new FileOptions();
  @Mixin private final OutputOptions outputOptions = new OutputOptions();

  /**
   * The command.
   *
   * @param environment the environment variables, which say where the built-in model is kept
   */
  public TrainCommand(StandardStreams streams, Map<String, String> environment) {
    this.streams = streams;
    this.environment = environment;
  }

  @Override
  public Integer call() throws IOException {
    Path out = fileOptions.directory();
    Optional<TrainingDirectory.State> saved = savedState(out);
    Map<String, String> before = Map.of();
    if (fileOptions.resume()) {
      before = saved.map(TrainingDirectory.State::settings).orElseGet(() -> begun(out));
      SavedOptions.restore(command, before);
    }
    dataOptions.requireConsistent(modelOptions.init() != null);
    if (fileOptions.plot() != null) {
      ChartFile.requireWritable(fileOptions.plot());
    }
    HuginnConfig config = modelOptions.config(objectiveOptions.meanRecurrence());
    if (dataOptions.length() > config.contextLength()) {
      throw new UsageException(
          "--length %d exceeds the context of %d"
              .formatted(dataOptions.length(), config.contextLength()));
    }
    TrainingPlan plan =
        new TrainingPlan(
            config,
            objectiveOptions.objective(modelOptions.sandwich()),
            scheduleOptions.schedule(),
            scheduleOptions.seed(),
            fileOptions.evaluation(),
            fileOptions.saving());
    Path source =
        saved.isPresent()
            ? out
            : modelOptions.init() != null
                ? modelOptions.init()
                : EmbeddedModel.read().directory(environment);
    try (Tokenizer tokenizer = Tokenizer.load(source, config.vocabularySize())) {
      TrainingData data = dataOptions.open(tokenizer, plan.seed());
      dataOptions.summary(data).ifPresent(streams.err()::println);
      Map<String, String> settings = merged(before);
      return train(plan, data, source, settings, saved);
    }
  }

  private Map<String, String> merged(Map<String, String> before) {
    Map<String, String> settings = new HashMap<>(before);
    settings.putAll(SavedOptions.of(command));
    return settings;
  }

  /** The options of a run that ended before it saved anything. */
  private Map<String, String> begun(Path out) {
    Map<String, String> settings =
        TrainingDirectory.readSettings(out)
            .orElseThrow(() ->
                new UsageException(
                    "--resume: nothing is saved in "
                        + out
                        + " yet: leave out --resume and give the options again"));
    streams.err().println("muninn: nothing is saved in " + out + " yet: beginning at step 0");
    return settings;
  }

  private Optional<TrainingDirectory.State> savedState(Path out) {
    Optional<TrainingDirectory.State> saved = TrainingDirectory.readState(out);
    if (fileOptions.resume()) {
      if (saved.isEmpty() && !Files.exists(out.resolve(TrainingDirectory.LOG))) {
        throw new UsageException(
            "--resume: there is no run in "
                + out
                + "; expected a directory that train --out began before");
      }
      return saved;
    }
    if (saved.isPresent()) {
      TrainingDirectory.requireNobodyWrites(out);
      throw new UsageException(
          out + " has a run of " + saved.get().step() + " steps: --resume continues it");
    }
    if (Files.exists(out.resolve(Checkpoint.SINGLE_FILE))
        || Files.exists(out.resolve(Checkpoint.INDEX_FILE))) {
      throw new UsageException(out + " has a model: name a directory without one");
    }
    return saved;
  }

  private int train(
      TrainingPlan plan,
      TrainingData data,
      Path source,
      Map<String, String> settings,
      Optional<TrainingDirectory.State> saved)
      throws IOException {
    try (TrainingDirectory directory = TrainingDirectory.of(fileOptions.directory(), settings);
        ShutdownCancellation shutdown = new ShutdownCancellation(PATIENCE_SECONDS);
        Trainer trainer = new Trainer(plan, data, directory, scheduleOptions.threads());
        Progress progress = new Progress(streams.err(), plan.schedule().steps())) {
      if (saved.isPresent()) {
        trainer.resume(saved.get());
        directory.goOn(plan, saved.get().step());
      } else {
        if (modelOptions.init() != null) {
          try (Checkpoint checkpoint = Checkpoint.open(modelOptions.init())) {
            trainer.initialize(checkpoint);
          }
        }
        directory.begin(plan, source);
      }
      progress.begin(trainer.step(), trainer.parameterCount());
      trainer.run(progress, shutdown.cancellation());
      if (fileOptions.plot() != null) {
        TrainingPlot.draw(directory, fileOptions.plot());
      }
      progress.finish();
      report(trainer, progress.lastEvaluations());
      return trainer.step() < plan.schedule().steps() ? ExitCode.INTERRUPTED : ExitCode.OK;
    }
  }

  private void report(Trainer trainer, List<Evaluation> evaluations) throws IOException {
    if (outputOptions.json()) {
      streams.out().write(json(trainer, evaluations));
    } else {
      streams
          .out()
          .write("step " + trainer.step() + " is saved in " + fileOptions.directory() + "\n");
      streams.out().write(table(evaluations));
    }
    streams.out().flush();
  }

  private String json(Trainer trainer, List<Evaluation> evaluations) {
    return Json.object(generator -> {
      generator.writeStringProperty("directory", fileOptions.directory().toString());
      generator.writeNumberProperty("step", trainer.step());
      generator.writeArrayPropertyStart("validation");
      for (Evaluation evaluation : evaluations) {
        generator.writeStartObject();
        generator.writeStringProperty("set", evaluation.set());
        generator.writeNumberProperty("recurrence", evaluation.recurrence());
        Json.number(generator, "loss", evaluation.loss());
        Json.number(generator, "accuracy", evaluation.accuracy());
        generator.writeEndObject();
      }
      generator.writeEndArray();
    });
  }

  /** Accuracy in percent by validation set and recurrence. */
  private static String table(List<Evaluation> evaluations) {
    if (evaluations.isEmpty()) {
      return "";
    }
    Set<Integer> recurrences = new LinkedHashSet<>();
    evaluations.forEach(evaluation -> recurrences.add(evaluation.recurrence()));
    StringBuilder table = new StringBuilder("| validation, % right |");
    recurrences.forEach(recurrence -> table.append(" r = ").append(recurrence).append(" |"));
    table.append("\n| --- |").append(" --- |".repeat(recurrences.size()));
    String set = null;
    for (Evaluation evaluation : evaluations) {
      if (!evaluation.set().equals(set)) {
        set = evaluation.set();
        table.append("\n| ").append(set).append(" |");
      }
      table.append(Units.format(" %.1f |", 100 * evaluation.accuracy()));
    }
    return table.append('\n').toString();
  }
}
