package dev.muninn.cli.trace;

import dev.muninn.cli.help.HelpHeading;
import dev.muninn.cli.options.NumberConverters;
import dev.muninn.cli.options.UsageException;
import dev.muninn.decode.InitialState;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Option;

/** Options for what a trace looks at. */
@HelpHeading("Trace")
final class TraceOptions {
  @Option(
      names = "--starts",
      paramLabel = "K",
      converter = NumberConverters.Positive.class,
      description =
          "Random states to begin from, of the seeds from --seed up; the ends are compared"
              + " (default: 1).")
  private int starts = 1;

  @Option(
      names = "--settle",
      paramLabel = "X",
      converter = NumberConverters.AboveZero.class,
      description = "Relative change below which a token has settled (default: 0.03).")
  private float settle = 0.03f;

  @Option(
      names = "--top",
      paramLabel = "N",
      converter = NumberConverters.Positive.class,
      description = "Likeliest tokens to keep for each recurrence (default: 5).")
  private int top = 5;

  @Option(
      names = "--detail",
      paramLabel = "N",
      converter = NumberConverters.Positive.class,
      description = "At most N tokens, the slowest, get figures of their own (default: 64).")
  private int detail = 64;

  float settle() {
    return settle;
  }

  int top() {
    return top;
  }

  int detail() {
    return detail;
  }

  /**
   * The states to begin from, of neighbouring seeds.
   *
   * @param first the first of them
   */
  List<InitialState> initialStates(InitialState first) {
    if (starts > 1 && first.scale() == 0) {
      throw new UsageException("--starts needs random states: without them all starts are one");
    }
    List<InitialState> states = new ArrayList<>();
    for (int i = 0; i < starts; i++) {
      states.add(new InitialState(first.scale(), first.seed() + i));
    }
    return states;
  }
}
