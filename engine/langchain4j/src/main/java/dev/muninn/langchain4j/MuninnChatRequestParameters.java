package dev.muninn.langchain4j;

import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.chat.request.DefaultChatRequestParameters;
import dev.muninn.decode.ExitCriteria;
import dev.muninn.decode.ExitOptions;
import java.util.Objects;

/**
 * What a request to a model of Muninn can say beyond LangChain4j's own parameters: how deep to
 * think. Anything left out is the model's default.
 */
public final class MuninnChatRequestParameters extends DefaultChatRequestParameters {
  /** Says nothing. */
  public static final MuninnChatRequestParameters EMPTY = builder().build();

  private final Integer recurrence;
  private final ExitOptions exit;
  private final Long seed;

  private MuninnChatRequestParameters(Builder builder) {
    super(builder);
    this.recurrence = builder.recurrence;
    this.exit = builder.exit;
    this.seed = builder.seed;
  }

  /** Starts with nothing said. */
  public static Builder builder() {
    return new Builder();
  }

  /** Recurrences of a token at most, null for the model's default. */
  public Integer recurrence() {
    return recurrence;
  }

  /** When a token stops before its last recurrence, null for never. */
  public ExitOptions exit() {
    return exit;
  }

  /** Seed of initial states and sampling, null for 0. */
  public Long seed() {
    return seed;
  }

  @Override
  public MuninnChatRequestParameters overrideWith(ChatRequestParameters other) {
    return builder().overrideWith(this).overrideWith(other).build();
  }

  @Override
  public MuninnChatRequestParameters defaultedBy(ChatRequestParameters other) {
    return builder().overrideWith(other).overrideWith(this).build();
  }

  @Override
  public boolean equals(Object other) {
    return super.equals(other)
        && other instanceof MuninnChatRequestParameters that
        && Objects.equals(recurrence, that.recurrence)
        && Objects.equals(exit, that.exit)
        && Objects.equals(seed, that.seed);
  }

  @Override
  public int hashCode() {
    return Objects.hash(super.hashCode(), recurrence, exit, seed);
  }

  @Override
  public String toString() {
    return "MuninnChatRequestParameters{%s, recurrence=%s, exit=%s, seed=%s}"
        .formatted(super.toString(), recurrence, exit, seed);
  }

  /** Collects parameters. Not thread-safe. */
  public static final class Builder extends DefaultChatRequestParameters.Builder<Builder> {
    private Integer recurrence;
    private ExitOptions exit;
    private Long seed;

    private Builder() {}

    /** Takes over what other parameters say. */
    @Override
    public Builder overrideWith(ChatRequestParameters other) {
      super.overrideWith(other);
      if (other instanceof MuninnChatRequestParameters that) {
        recurrence = that.recurrence == null ? recurrence : that.recurrence;
        exit = that.exit == null ? exit : that.exit;
        seed = that.seed == null ? seed : that.seed;
      }
      return this;
    }

    /**
     * Recurrences of a token at most.
     *
     * @param recurrence at least 1
     */
    public Builder recurrence(int recurrence) {
      if (recurrence < 1) {
        throw new IllegalArgumentException("recurrence must be at least 1, not " + recurrence);
      }
      this.recurrence = recurrence;
      return this;
    }

    /**
     * When a token stops early, in the words of the command line: {@code kl}, {@code
     * latent-diff:0.01}, {@code gate}.
     *
     * @throws IllegalArgumentException if there is no such criterion
     */
    public Builder exit(String criterion) {
      return exit(ExitOptions.of(ExitCriteria.parse(criterion)));
    }

    /** When a token stops early. */
    public Builder exit(ExitOptions exit) {
      this.exit = exit;
      return this;
    }

    /** Seed of initial states and sampling. */
    public Builder seed(long seed) {
      this.seed = seed;
      return this;
    }

    @Override
    public MuninnChatRequestParameters build() {
      return new MuninnChatRequestParameters(this);
    }
  }
}
