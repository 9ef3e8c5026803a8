package dev.muninn.cli.train;

import dev.muninn.cli.help.HelpHeading;
import dev.muninn.cli.options.NumberConverters;
import dev.muninn.train.TrainingPlan.EvaluationPlan;
import dev.muninn.train.TrainingPlan.SavePlan;
import dev.muninn.weights.DType;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;

/** Options for output files and how often they are written. */
@HelpHeading("Files")
final class FileOptions {
  @Option(
      names = "--out",
      paramLabel = "DIR",
      required = true,
      description = "Receives the model, the state to resume from, log.csv and validation.csv.")
  private Path directory;

  @Option(
      names = "--resume",
      description =
          "Go on where the run in --out was saved last, with its options and the losses of a run"
              + " that was never interrupted.")
  private boolean resume;

  @Option(
      names = "--save-every",
      paramLabel = "N",
      converter = NumberConverters.Positive.class,
      description = "Steps between checkpoints (default: " + Preset.SAVE_EVERY + ").")
  private int saveEvery = Preset.SAVE_EVERY;

  @Option(
      names = "--save-dtype",
      paramLabel = "TYPE",
      converter = SaveType.class,
      description = "Type of the model's weights: bf16 or f32 (default: bf16).")
  private DType saveType = DType.BF16;

  @Option(
      names = "--evaluate-every",
      paramLabel = "N",
      converter = NumberConverters.Positive.class,
      description = "Steps between validations (default: " + Preset.EVALUATE_EVERY + ").")
  private int evaluateEvery = Preset.EVALUATE_EVERY;

  @Option(
      names = "--evaluate-at",
      paramLabel = "R,...",
      converter = Recurrences.class,
      description = "Recurrences to validate at (default: 1,2,4,8).")
  private List<Integer> evaluateAt = List.of(1, 2, 4, 8);

  @Option(
      names = "--plot",
      paramLabel = "FILE",
      description = "Draw loss and accuracy by recurrence, as .svg or .png.")
  private Path plot;

  Path directory() {
    return directory;
  }

  boolean resume() {
    return resume;
  }

  Path plot() {
    return plot;
  }

  EvaluationPlan evaluation() {
    return new EvaluationPlan(evaluateEvery, evaluateAt);
  }

  SavePlan saving() {
    return new SavePlan(saveEvery, saveType);
  }

  /** The type of saved weights. */
  static final class SaveType implements ITypeConverter<DType> {
    @Override
    public DType convert(String value) {
      return switch (value.toLowerCase(Locale.ROOT)) {
        case "bf16" -> DType.BF16;
        case "f32" -> DType.F32;
        default -> throw NumberConverters.expected("bf16 or f32", value);
      };
    }
  }

  /** Counts with commas between. */
  static final class Recurrences implements ITypeConverter<List<Integer>> {
    @Override
    public List<Integer> convert(String value) {
      if (!value.matches("[1-9]\\d{0,4}(,[1-9]\\d{0,4})*")) {
        throw NumberConverters.expected("recurrences such as 1,4,8", value);
      }
      return Arrays.stream(value.split(",")).map(Integer::valueOf).distinct().toList();
    }
  }
}
