package dev.muninn.cli.options;

import dev.muninn.cli.help.HelpHeading;
import dev.muninn.decode.DecodingOptions;
import dev.muninn.decode.ExitOptions;
import dev.muninn.decode.Strategy;
import picocli.CommandLine.Option;

/** How tokens are made one after the other. */
@HelpHeading("Strategy")
public class SequentialStrategyOptions {
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

  /** The settings that these and the other options make together. */
  public final DecodingOptions decodingOptions(ExitOptions exit, CacheOptions cache) {
    Strategy strategy = strategy();
    try {
      return new DecodingOptions(cache.policy(), cache.type(), exit, warmStart, strategy);
    } catch (IllegalArgumentException e) {
      throw new UsageException(e.getMessage());
    }
  }

  final boolean isSpeculative() {
    return draftRecurrence != null;
  }

  Strategy strategy() {
    if (!isSpeculative()) {
      refuse("--lookahead", lookahead, "--draft-recurrence");
      return Strategy.sequential();
    }
    return new Strategy.Speculative(
        draftRecurrence, lookahead == null ? DEFAULT_LOOKAHEAD : lookahead);
  }

  static void refuse(String option, Object value, String needed) {
    if (value != null) {
      throw new UsageException(option + " needs " + needed);
    }
  }
}
