package dev.muninn.cli.quantize;

import dev.muninn.cli.help.CommandSection;
import dev.muninn.cli.help.HelpHeading;
import dev.muninn.cli.options.ModelArgument;
import dev.muninn.cli.options.ModelOptions;
import dev.muninn.cli.options.OutputOptions;
import dev.muninn.cli.options.UsageException;
import dev.muninn.cli.process.ExitCode;
import dev.muninn.cli.process.ShutdownCancellation;
import dev.muninn.cli.terminal.Progress;
import dev.muninn.cli.terminal.StandardStreams;
import dev.muninn.cli.terminal.Terminal;
import dev.muninn.cli.trace.OutputDirectory;
import dev.muninn.decode.Cancellation;
import dev.muninn.eval.Task;
import dev.muninn.prepare.Calibration;
import dev.muninn.prepare.Preparation;
import dev.muninn.prepare.Recipe;
import dev.muninn.weights.Checkpoint;
import dev.muninn.weights.CheckpointException;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Writes a model once more, with its weights prepared: in panels, and perhaps of fewer bits. */
@CommandSection.In(CommandSection.MODELS)
@Command(
    name = "quantize",
    description = {
      "Prepares a model's weights: fewer bits, or only a faster layout.",
      "Writes a directory that all commands open as they open the model itself. Norms, biases and"
          + " exit gates stay as they are."
    },
    customSynopsis = {
      "muninn quantize [OPTION]... --type TYPE --out DIR [MODEL]",
      "muninn quantize [OPTION]... --compare [MODEL]"
    })
public final class QuantizeCommand implements Callable<Integer> {
  private static final long MEGABYTE = 1_000_000;

  private final StandardStreams streams;
  private final Map<String, String> environment;

  @Spec private CommandSpec spec;

  @Mixin private final ModelArgument modelArgument = new ModelArgument();

  @Mixin private final RecipeOptions recipeOptions = new RecipeOptions();

  @Mixin private final CalibrationOptions calibrationOptions = new CalibrationOptions();

  @Mixin private final Target target = new Target();

  @Mixin private final VerifyOptions verifyOptions = new VerifyOptions();

  @Mixin private final ComparisonOptions comparisonOptions = new ComparisonOptions();

  @Mixin private final OutputOptions outputOptions = new OutputOptions();

  public QuantizeCommand(StandardStreams streams, Map<String, String> environment) {
    this.streams = streams;
    this.environment = environment;
  }

  @HelpHeading("Files")
  private static final class Target {
    @Option(
        names = {"-o", "--out"},
        paramLabel = "DIR",
        description = "New directory for the prepared model.")
    private Path directory;

    @Option(names = "--force", description = "Replace an earlier result in --out.")
    private boolean force;
  }

  @Override
  public Integer call() throws IOException {
    if (comparisonOptions.asked(spec)) {
      return compareTypes();
    }
    if (!recipeOptions.isGiven() || target.directory == null) {
      throw new UsageException("needs --type and --out; or --compare, to see what types there are");
    }
    verifyOptions.requireConsistent();
    String text = verifyOptions.text();
    Recipe recipe = recipeOptions.recipe();
    String seen = calibrationOptions.text(recipe);
    Path source = ModelOptions.orBuiltIn(modelArgument.model(), environment);
    requireOther(source);
    try (OutputDirectory output =
            OutputDirectory.begin(
                target.directory, target.force, ModelFiles.replaceable(target.directory));
        ShutdownCancellation shutdown = new ShutdownCancellation()) {
      long sourceBytes = bytes(source);
      Preparation done;
      boolean calibrated;
      try (Calibration calibration =
              CalibrationOptions.calibrate(source, seen, shutdown.cancellation()::isCancelled);
          Progress progress =
              new Progress(
                  Terminal.isStandardError() && sourceBytes > MEGABYTE,
                  "preparing (MB)",
                  sourceBytes / MEGABYTE)) {
        calibrated = calibration != null;
        done = prepare(source, output, recipe, calibration, progress, shutdown.cancellation());
      } catch (CancellationException interrupted) {
        return ExitCode.INTERRUPTED;
      }
      VerifyOptions.Findings findings =
          verifyOptions.compare(source, target.directory, text, shutdown.cancellation());
      QuantizeReport report =
          new QuantizeReport(target.directory, sourceBytes, done, calibrated, findings);
      streams.out().write(outputOptions.json() ? report.json() : report.text());
      streams.out().flush();
      return shutdown.cancellation().isCancelled() ? ExitCode.INTERRUPTED : ExitCode.OK;
    }
  }

  private int compareTypes() throws IOException {
    List<Task> tasks = comparisonOptions.tasks();
    String seen = calibrationOptions.text(Recipe.of("q4"));
    Path source = ModelOptions.orBuiltIn(modelArgument.model(), environment);
    try (ShutdownCancellation shutdown = new ShutdownCancellation();
        TypeComparison comparison = new TypeComparison(source, seen, shutdown.cancellation())) {
      List<TypeComparison.Row> rows =
          comparison.run(
              tasks,
              comparisonOptions.recurrences(comparison.defaultRecurrence()),
              comparisonOptions.repetitions());
      TypeTable table = new TypeTable(tasks, rows);
      streams.out().write(outputOptions.json() ? table.json() : table.text());
      streams.out().flush();
      return ExitCode.OK;
    } catch (CancellationException interrupted) {
      return ExitCode.INTERRUPTED;
    }
  }

  private Preparation prepare(
      Path source,
      OutputDirectory output,
      Recipe recipe,
      Calibration calibration,
      Progress progress,
      Cancellation cancellation)
      throws IOException {
    try {
      Preparation done =
          Preparation.prepare(
              source,
              output.work(),
              recipe,
              calibration,
              bytes -> {
                progress.stepTo(bytes / MEGABYTE);
                if (cancellation.isCancelled()) {
                  throw new CancellationException("interrupted");
                }
              });
      ModelFiles.copy(source, output.work());
      output.commit();
      return done;
    } catch (IOException problem) {
      throw output.named(problem);
    } catch (CheckpointException problem) {
      throw output.named(problem);
    }
  }

  private void requireOther(Path source) throws IOException {
    if (Files.exists(target.directory)
        && Files.exists(source)
        && Files.isSameFile(source, target.directory)) {
      throw new FileSystemException(
          target.directory.toString(), null, "is the model itself; expected another directory");
    }
  }

  private static long bytes(Path source) {
    try (Checkpoint checkpoint = Checkpoint.open(source)) {
      return checkpoint.mappedBytes();
    }
  }
}
