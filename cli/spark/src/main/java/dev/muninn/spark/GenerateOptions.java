package dev.muninn.spark;

import java.util.List;

/**
 * How texts are generated: the options of {@code muninn generate}.
 *
 * <pre>{@code
 * GenerateOptions options =
 *     GenerateOptions.builder().model("/models/huginn-0125").recurrence(32).maxTokens(64).build();
 * }</pre>
 */
public final class GenerateOptions extends JobOptions<GenerateArguments> {
  private static final long serialVersionUID = 1L;

  private GenerateOptions(String... arguments) {
    super(arguments);
  }

  /**
   * Options as a command line has them, such as {@code parse("-r", "32", "--exit", "kl")}.
   *
   * @throws IllegalArgumentException in one line, if they are wrong
   */
  public static GenerateOptions parse(String... arguments) {
    GenerateOptions options = new GenerateOptions(arguments);
    options.parsed();
    return options;
  }

  /** Options that a command has parsed. */
  static GenerateOptions of(List<String> arguments) {
    return new GenerateOptions(arguments.toArray(String[]::new));
  }

  /** Starts with the defaults of {@code muninn generate}. */
  public static Builder builder() {
    return new Builder();
  }

  @Override
  GenerateArguments unread() {
    return new GenerateArguments();
  }

  /** Collects options. Not thread-safe. */
  public static final class Builder extends JobOptions.Builder<Builder, GenerateOptions> {
    private Builder() {}

    @Override
    Builder self() {
      return this;
    }

    /** Most tokens of an answer; 128 without it. */
    public Builder maxTokens(int maxTokens) {
      return option("--max-tokens", maxTokens);
    }

    /** 0, the default, takes the likeliest token. */
    public Builder temperature(float temperature) {
      return option("--temperature", temperature);
    }

    /** An exit criterion with or without its threshold, such as {@code kl:1e-4}. */
    public Builder exit(String criterion) {
      return option("--exit", criterion);
    }

    /** A text that ends an answer and is no part of it; may be called again for more. */
    public Builder stop(String text) {
      return option("--stop", text);
    }

    @Override
    GenerateOptions parse(String... arguments) {
      return GenerateOptions.parse(arguments);
    }
  }
}
