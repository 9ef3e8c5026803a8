package dev.muninn.cli.train;

import dev.muninn.cli.help.HelpHeading;
import dev.muninn.cli.options.NumberConverters;
import dev.muninn.cli.options.UsageException;
import dev.muninn.train.Objective;
import picocli.CommandLine.Option;

/** How deep is trained. */
@HelpHeading("Depth")
final class ObjectiveOptions {
  @Option(
      names = "--mean-recurrence",
      paramLabel = "N",
      converter = NumberConverters.Positive.class,
      description = "Mean of the recurrences' distribution (default: the model's, 8).")
  private Integer meanRecurrence;

  @Option(
      names = "--backpropagation-depth",
      paramLabel = "K",
      converter = NumberConverters.Positive.class,
      description = "Last recurrences that are gone back through (default: 4).")
  private Integer backpropagationDepth;

  @Option(
      names = "--fixed-depth",
      paramLabel = "N",
      converter = NumberConverters.Positive.class,
      description =
          "The same recurrences in every step, all of them gone back through: the baseline of paper"
              + " 5.1.")
  private Integer fixedDepth;

  /** The mean recurrence that a model has from this, or null. */
  Integer meanRecurrence() {
    if (fixedDepth != null && (meanRecurrence != null || backpropagationDepth != null)) {
      throw new UsageException(
          "--fixed-depth excludes --mean-recurrence and --backpropagation-depth");
    }
    return fixedDepth == null ? meanRecurrence : fixedDepth;
  }

  Objective objective(boolean sandwich) {
    return new Objective(
        backpropagationDepth == null ? Preset.BACKPROPAGATION_DEPTH : backpropagationDepth,
        fixedDepth == null ? 0 : fixedDepth,
        sandwich);
  }
}
