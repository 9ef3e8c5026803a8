package dev.muninn.cli.options;

import dev.muninn.cli.help.HelpHeading;
import dev.muninn.decode.Strategy;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;

/** In which order positions and recurrences are computed, for a single answer. */
@HelpHeading("Strategy")
public final class StrategyOptions extends SequentialStrategyOptions {
  @Option(names = "--parallel", description = "Refine a wavefront of tokens together.")
  private boolean parallel;

  @Option(
      names = "--inner-recurrence",
      paramLabel = "N",
      converter = NumberConverters.Positive.class,
      description = "Recurrences of an outer step (default: 4).")
  private Integer innerRecurrence;

  @Option(
      names = "--headway",
      paramLabel = "N",
      converter = NumberConverters.Positive.class,
      description = "Tokens added in an outer step (default: 1).")
  private Integer headway;

  @Option(
      names = "--freeze",
      paramLabel = "latent-diff|fixed",
      converter = FreezeConverter.class,
      description =
          "Fix a token once it has settled, or after -r recurrences (default: latent-diff).")
  private Strategy.Parallel.Freeze freeze;

  @Option(
      names = "--exit-threshold",
      paramLabel = "X",
      converter = NumberConverters.AboveZero.class,
      description = "Relative change below which a state has settled (default: 0.03).")
  private Float exitThreshold;

  @Option(
      names = "--max-wavefront",
      paramLabel = "N",
      converter = NumberConverters.AtLeastTwo.class,
      description = "Most tokens in the wavefront (default: 128).")
  private Integer maxWavefront;

  @Option(
      names = "--embedding-ema",
      paramLabel = "X",
      converter = NumberConverters.ProbabilityBelowOne.class,
      description = "Share of a token's former embedding (default: 0).")
  private Float embeddingEma;

  @Option(
      names = "--state-noise",
      paramLabel = "X",
      converter = NumberConverters.Probability.class,
      description = "Noise mixed into states, less with depth (default: 0).")
  private Float stateNoise;

  /** Whether tokens are made one after the other. */
  public boolean isSequential() {
    return !isSpeculative() && !parallel;
  }

  @Override
  Strategy strategy() {
    if (parallel && isSpeculative()) {
      throw new UsageException("--parallel and --draft-recurrence exclude each other");
    }
    Strategy sequential = super.strategy();
    if (!parallel) {
      refuse("--inner-recurrence", innerRecurrence, "--parallel");
      refuse("--headway", headway, "--parallel");
      refuse("--freeze", freeze, "--parallel");
      refuse("--exit-threshold", exitThreshold, "--parallel");
      refuse("--max-wavefront", maxWavefront, "--parallel");
      refuse("--embedding-ema", embeddingEma, "--parallel");
      refuse("--state-noise", stateNoise, "--parallel");
    }
    if (!parallel) {
      return sequential;
    }
    if (freeze == Strategy.Parallel.Freeze.FIXED && exitThreshold != null) {
      throw new UsageException("--exit-threshold needs --freeze latent-diff");
    }
    Strategy.Parallel defaults = Strategy.Parallel.defaults();
    return new Strategy.Parallel(
        innerRecurrence == null ? defaults.innerRecurrence() : innerRecurrence,
        headway == null ? defaults.headway() : headway,
        freeze == null ? defaults.freeze() : freeze,
        exitThreshold == null
            ? defaults.exitThreshold()
            : Double.parseDouble(exitThreshold.toString()),
        maxWavefront == null ? defaults.maxWavefront() : maxWavefront,
        embeddingEma == null ? defaults.embeddingEma() : embeddingEma,
        stateNoise == null ? defaults.stateNoise() : stateNoise);
  }

  private static final class FreezeConverter implements ITypeConverter<Strategy.Parallel.Freeze> {
    @Override
    public Strategy.Parallel.Freeze convert(String value) {
      return switch (value) {
        case "latent-diff" -> Strategy.Parallel.Freeze.LATENT_DIFF;
        case "fixed" -> Strategy.Parallel.Freeze.FIXED;
        default -> throw NumberConverters.expected("latent-diff or fixed", value);
      };
    }
  }
}
