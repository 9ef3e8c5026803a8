package dev.muninn.langchain4j;

import dev.langchain4j.model.chat.response.ChatResponseMetadata;
import java.util.List;
import java.util.Objects;

/** What an answer cost: LangChain4j's figures, and the recurrences. */
public final class MuninnChatResponseMetadata extends ChatResponseMetadata {
  private final List<Integer> recurrences;

  private MuninnChatResponseMetadata(Builder builder) {
    super(builder);
    this.recurrences = builder.recurrences;
  }

  /** Starts with nothing known. */
  public static Builder builder() {
    return new Builder();
  }

  /** Recurrences of each forward: first the prompt's, then one for each further token. */
  public List<Integer> recurrences() {
    return recurrences;
  }

  /** Mean recurrences of a forward, not a number if there was none. */
  public double meanRecurrences() {
    return recurrences.stream().mapToInt(Integer::intValue).average().orElse(Double.NaN);
  }

  @Override
  public Builder toBuilder() {
    return builder()
        .id(id())
        .modelName(modelName())
        .tokenUsage(tokenUsage())
        .finishReason(finishReason())
        .recurrences(recurrences);
  }

  @Override
  public boolean equals(Object other) {
    return super.equals(other)
        && other instanceof MuninnChatResponseMetadata that
        && recurrences.equals(that.recurrences);
  }

  @Override
  public int hashCode() {
    return Objects.hash(super.hashCode(), recurrences);
  }

  @Override
  public String toString() {
    return "MuninnChatResponseMetadata{%s, recurrences=%s}"
        .formatted(super.toString(), recurrences);
  }

  /** Collects figures. Not thread-safe. */
  public static final class Builder extends ChatResponseMetadata.Builder<Builder> {
    private List<Integer> recurrences = List.of();

    private Builder() {}

    /** Recurrences of each forward. */
    public Builder recurrences(List<Integer> recurrences) {
      this.recurrences = List.copyOf(recurrences);
      return this;
    }

    @Override
    public MuninnChatResponseMetadata build() {
      return new MuninnChatResponseMetadata(this);
    }
  }
}
