package dev.muninn.spark;

import java.util.List;

/** How texts are scored: the options of {@code muninn score}. */
public final class ScoreOptions extends JobOptions<ScoreArguments> {
  private static final long serialVersionUID = 1L;

  private ScoreOptions(String... arguments) {
    super(arguments);
  }

  /**
   * Options as a command line has them, such as {@code parse("-r", "32")}.
   *
   * @throws IllegalArgumentException in one line, if they are wrong
   */
  public static ScoreOptions parse(String... arguments) {
    ScoreOptions options = new ScoreOptions(arguments);
    options.parsed();
    return options;
  }

  /** Options that a command has parsed. */
  static ScoreOptions of(List<String> arguments) {
    return new ScoreOptions(arguments.toArray(String[]::new));
  }

  /** Starts with the defaults of {@code muninn score}. */
  public static Builder builder() {
    return new Builder();
  }

  @Override
  ScoreArguments unread() {
    return new ScoreArguments();
  }

  /** Collects options. Not thread-safe. */
  public static final class Builder extends JobOptions.Builder<Builder, ScoreOptions> {
    private Builder() {}

    @Override
    Builder self() {
      return this;
    }

    @Override
    ScoreOptions parse(String... arguments) {
      return ScoreOptions.parse(arguments);
    }
  }
}
