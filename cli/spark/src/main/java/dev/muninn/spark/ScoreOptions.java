package dev.muninn.spark;

import java.util.List;

/** How texts are scored: the options of {@code muninn score}. */
public final class ScoreOptions extends JobOptions {
  private static final long serialVersionUID = 1L;

  private transient ScoreArguments parsed;

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

  synchronized ScoreArguments parsed() {
    if (parsed == null) {
      parsed = RowArguments.parse(new ScoreArguments(), values());
    }
    return parsed;
  }

  /** Collects options. Not thread-safe. */
  public static final class Builder extends JobOptions.Builder<Builder> {
    private Builder() {}

    @Override
    Builder self() {
      return this;
    }

    /**
     * The options.
     *
     * @throws IllegalArgumentException in one line, if they are wrong
     */
    public ScoreOptions build() {
      return parse(values());
    }
  }
}
