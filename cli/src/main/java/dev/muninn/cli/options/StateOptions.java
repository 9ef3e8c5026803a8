package dev.muninn.cli.options;

import dev.muninn.cli.help.HelpHeading;
import dev.muninn.cli.terminal.StandardStreams;
import dev.muninn.decode.InitialState;
import dev.muninn.model.RecurrentModel;
import dev.muninn.model.StartState;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;

/** The initial latent state of a token. */
@HelpHeading("Depth")
public class StateOptions {
  @Option(
      names = "--state",
      paramLabel = "zero|random",
      converter = StateKind.Converter.class,
      description = "Initial latent state (default: random).")
  private StateKind state;

  @Option(
      names = "--state-scale",
      paramLabel = "X",
      converter = NumberConverters.AtLeastZero.class,
      description = "Scale of the random state (default: 1).")
  private Float stateScale;

  @Option(
      names = {"-s", "--seed"},
      paramLabel = "N",
      converter = NumberConverters.Seed.class,
      description = "Seed of state and sampling (default: 0).")
  private long seed;

  public final long seed() {
    return seed;
  }

  public final InitialState initialState() {
    if (state == StateKind.ZERO) {
      if (stateScale != null) {
        throw new UsageException("--state-scale needs --state random: a zero state has no scale");
      }
      return InitialState.zero();
    }
    return stateScale == null ? InitialState.random(seed) : new InitialState(stateScale, seed);
  }

  /** Says once where a choice of the initial state has no effect. */
  public final void warnIfUnused(StandardStreams streams, RecurrentModel model) {
    if ((state != null || stateScale != null)
        && model.core().start() instanceof StartState.Embedded) {
      streams
          .err()
          .println(
              "muninn: this model begins from the embedded token: --state and --state-scale do"
                  + " nothing");
    }
  }

  private enum StateKind {
    ZERO,
    RANDOM;

    static final class Converter implements ITypeConverter<StateKind> {
      @Override
      public StateKind convert(String value) {
        return switch (value) {
          case "zero" -> ZERO;
          case "random" -> RANDOM;
          default -> throw NumberConverters.expected("zero or random", value);
        };
      }
    }
  }
}
