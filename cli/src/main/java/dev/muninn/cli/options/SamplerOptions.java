package dev.muninn.cli.options;

import dev.muninn.cli.help.HelpHeading;
import dev.muninn.decode.SamplingOptions;
import picocli.CommandLine.Option;

/** How a token is chosen. */
@HelpHeading("Sampling")
public final class SamplerOptions {
  @Option(
      names = {"-t", "--temperature"},
      paramLabel = "X",
      converter = NumberConverters.AtLeastZero.class,
      description = "0 takes the likeliest token (default: 0).")
  private float temperature;

  @Option(
      names = "--top-k",
      paramLabel = "N",
      converter = NumberConverters.Count.class,
      description = "Keep the N likeliest tokens (default: 0, all).")
  private int topK;

  @Option(
      names = "--top-p",
      paramLabel = "X",
      converter = NumberConverters.ProbabilityAboveZero.class,
      description = "Keep the likeliest that sum to X (default: 1).")
  private float topP = 1;

  @Option(
      names = "--min-p",
      paramLabel = "X",
      converter = NumberConverters.Probability.class,
      description = "Drop those below X times the best (default: 0).")
  private float minP;

  @Option(
      names = "--repetition-penalty",
      paramLabel = "X",
      converter = NumberConverters.AboveZero.class,
      description = "Above 1 disfavours repetition (default: 1).")
  private float repetitionPenalty = 1;

  /**
   * What the options say.
   *
   * @throws UsageException if tokens are to be chosen from some that are never looked at
   */
  public SamplingOptions samplingOptions(long seed) {
    if (temperature == 0) {
      refuse("--top-k", topK > 1);
      refuse("--top-p", topP < 1);
      refuse("--min-p", minP > 0);
    }
    return new SamplingOptions(temperature, topK, topP, minP, repetitionPenalty, seed);
  }

  /**
   * How tokens of one of many texts are chosen.
   *
   * @param id of the text, from which its seed derives too; null if it has none
   */
  public SamplingOptions samplingOptions(long seed, Object id) {
    return samplingOptions(seed).forText(id == null ? null : id.toString());
  }

  private static void refuse(String option, boolean given) {
    if (given) {
      throw new UsageException(
          option + " needs --temperature above 0: at 0 the likeliest token is taken");
    }
  }
}
