package dev.muninn.cli.train;

import dev.muninn.cli.help.HelpHeading;
import dev.muninn.cli.options.NumberConverters;
import dev.muninn.train.Schedule;
import dev.muninn.vector.PhysicalCores;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;

/** How long and how fast is learnt. */
@HelpHeading("Optimizer")
final class ScheduleOptions {
  @Option(
      names = "--steps",
      paramLabel = "N",
      converter = NumberConverters.Positive.class,
      description = "Steps in all (default: " + Preset.STEPS + ").")
  private int steps = Preset.STEPS;

  @Option(
      names = "--accumulate",
      paramLabel = "N",
      converter = NumberConverters.Positive.class,
      description = "Batches whose gradients make one step (default: 1).")
  private int accumulate = Preset.ACCUMULATE;

  @Option(
      names = "--learning-rate",
      paramLabel = "X",
      converter = NumberConverters.AboveZero.class,
      description = "At its peak (default: " + Preset.LEARNING_RATE + ").")
  private float learningRate = Preset.LEARNING_RATE;

  @Option(
      names = "--warm-up",
      paramLabel = "N",
      converter = NumberConverters.Count.class,
      description = "Steps in which it rises (default: 200, at most a tenth).")
  private Integer warmUp;

  @Option(
      names = "--decay",
      paramLabel = "NAME",
      converter = DecayName.class,
      description =
          "Then: inverse-square-root of the step, or none (default:" + " inverse-square-root).")
  private Schedule.Decay decay = Preset.DECAY;

  @Option(
      names = "--cool-down",
      paramLabel = "N",
      converter = NumberConverters.Count.class,
      description = "Last steps, in which it falls (default: a quarter).")
  private Integer coolDown;

  @Option(
      names = "--weight-decay",
      paramLabel = "X",
      converter = NumberConverters.AtLeastZero.class,
      description = "AdamW's, of matrices (default: " + Preset.WEIGHT_DECAY + ").")
  private float weightDecay = Preset.WEIGHT_DECAY;

  @Option(
      names = "--clip",
      paramLabel = "X",
      converter = NumberConverters.AboveZero.class,
      description = "Greatest norm of a step's gradient (default: 1).")
  private float clip = Preset.CLIP;

  @Option(
      names = {"-s", "--seed"},
      paramLabel = "N",
      converter = NumberConverters.Seed.class,
      description = "Random seed (default: 0).")
  private long seed;

  @Option(
      names = "--threads",
      paramLabel = "N",
      converter = NumberConverters.Threads.class,
      description = "Computing threads (default: physical cores).")
  private Integer threads;

  Schedule schedule() {
    return new Schedule(
        steps,
        accumulate,
        decimal(learningRate),
        warmUp == null ? Math.min(Preset.WARM_UP, steps / 10) : warmUp,
        decay,
        coolDown == null ? steps / 4 : coolDown,
        decimal(weightDecay),
        decimal(clip));
  }

  /** The number as it was written, without the digits that single precision adds. */
  private static double decimal(float number) {
    return Double.parseDouble(Float.toString(number));
  }

  long seed() {
    return seed;
  }

  int threads() {
    return threads == null ? PhysicalCores.count() : threads;
  }

  /** The name of a decay. */
  static final class DecayName implements ITypeConverter<Schedule.Decay> {
    @Override
    public Schedule.Decay convert(String value) {
      return switch (value) {
        case "none" -> Schedule.Decay.NONE;
        case "inverse-square-root" -> Schedule.Decay.INVERSE_SQUARE_ROOT;
        default -> throw NumberConverters.expected("inverse-square-root or none", value);
      };
    }
  }
}
