package dev.muninn.cli;

import dev.muninn.decode.DecodingOptions;
import dev.muninn.decode.ExitOptions;
import dev.muninn.decode.Strategy;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;

/** In which order positions and recurrences are computed. */
@HelpHeading("Strategy")
public final class StrategyOptions {
  private static final int DEFAULT_LOOKAHEAD = 4;

  @Option(
      names = "--warm-start",
      description = "Start a token from the state the last one ended in.")
  private boolean warmStart;

  @Option(
      names = "--draft-recurrence",
      paramLabel = "D",
      converter = NumberConverters.Positive.class,
      description = "Self-speculation: draft at D recurrences, verify at all.")
  private Integer draftRecurrence;

  @Option(
      names = "--lookahead",
      paramLabel = "K",
      converter = NumberConverters.Positive.class,
      description = "Tokens drafted before they are verified (default: 4).")
  private Integer lookahead;

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
          "Fix tokens whose state settled, or after -r recurrences (default: latent-diff).")
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
    return draftRecurrence == null && !parallel;
  }

  /** What these and the other options say together. */
  public DecodingOptions decodingOptions(ExitOptions exit, CacheOptions cache) {
    Strategy strategy = strategy();
    try {
      return new DecodingOptions(cache.policy(), cache.type(), exit, warmStart, strategy);
    } catch (IllegalArgumentException e) {
      throw new UsageException(e.getMessage());
    }
  }

  private Strategy strategy() {
    if (parallel && draftRecurrence != null) {
      throw new UsageException("--parallel and --draft-recurrence exclude each other");
    }
    if (draftRecurrence == null) {
      refuse("--lookahead", lookahead, "--draft-recurrence");
    }
    if (!parallel) {
      refuse("--inner-recurrence", innerRecurrence, "--parallel");
      refuse("--headway", headway, "--parallel");
      refuse("--freeze", freeze, "--parallel");
      refuse("--exit-threshold", exitThreshold, "--parallel");
      refuse("--max-wavefront", maxWavefront, "--parallel");
      refuse("--embedding-ema", embeddingEma, "--parallel");
      refuse("--state-noise", stateNoise, "--parallel");
    }
    if (draftRecurrence != null) {
      return new Strategy.Speculative(
          draftRecurrence, lookahead == null ? DEFAULT_LOOKAHEAD : lookahead);
    }
    if (!parallel) {
      return Strategy.sequential();
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

  private static void refuse(String option, Object value, String needed) {
    if (value != null) {
      throw new UsageException(option + " needs " + needed);
    }
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
