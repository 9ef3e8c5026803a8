package dev.muninn.decode;

import dev.muninn.cache.KeyValueType;
import dev.muninn.cache.SlotPolicy;
import java.util.Objects;
import java.util.Optional;

/**
 * How depth is spent.
 *
 * @param policy which recurrences keep their keys and values; empty for what the strategy wants
 * @param type how keys and values are stored; empty for what fits the weights
 * @param exit when rows stop before their last recurrence
 * @param warmStart whether a position starts from the final latent state of the one before
 * @param strategy in which order positions and recurrences are computed
 */
public record DecodingOptions(
    Optional<SlotPolicy> policy,
    Optional<KeyValueType> type,
    ExitOptions exit,
    boolean warmStart,
    Strategy strategy) {

  /**
   * @throws IllegalArgumentException if options exclude each other
   */
  public DecodingOptions {
    Objects.requireNonNull(policy, "policy");
    Objects.requireNonNull(type, "type");
    Objects.requireNonNull(exit, "exit");
    switch (strategy) {
      case Strategy.Sequential sequential -> {}
      case Strategy.Speculative speculative -> {
        if (policy.isPresent() && policy.get() != SlotPolicy.full()) {
          throw new IllegalArgumentException(
              "speculative decoding needs the cache policy full, not "
                  + policy.get()
                  + ": drafts would overwrite slots that are verified");
        }
        refuse(exit.criterion().isPresent(), "speculative decoding", "an exit criterion");
        refuse(warmStart, "speculative decoding", "a warm start");
      }
      case Strategy.Parallel parallel -> {
        if (policy.isPresent() && !policy.get().equals(new SlotPolicy.Budget(1))) {
          throw new IllegalArgumentException(
              "parallel sampling needs the cache policy budget:1, not " + policy.get());
        }
        refuse(exit.criterion().isPresent(), "parallel sampling", "an exit criterion");
        refuse(warmStart, "parallel sampling", "a warm start");
      }
    }
  }

  private static void refuse(boolean given, String strategy, String other) {
    if (given) {
      throw new IllegalArgumentException(strategy + " and " + other + " exclude each other");
    }
  }

  /** Every position at all recurrences, one after the other. */
  public static DecodingOptions defaults() {
    return new DecodingOptions(
        Optional.empty(), Optional.empty(), ExitOptions.none(), false, Strategy.sequential());
  }

  public DecodingOptions withPolicy(SlotPolicy policy) {
    return new DecodingOptions(Optional.of(policy), type, exit, warmStart, strategy);
  }

  public DecodingOptions withType(KeyValueType type) {
    return new DecodingOptions(policy, Optional.of(type), exit, warmStart, strategy);
  }

  public DecodingOptions withExit(ExitOptions exit) {
    return new DecodingOptions(policy, type, exit, warmStart, strategy);
  }

  public DecodingOptions withWarmStart(boolean warmStart) {
    return new DecodingOptions(policy, type, exit, warmStart, strategy);
  }

  public DecodingOptions withStrategy(Strategy strategy) {
    return new DecodingOptions(policy, type, exit, warmStart, strategy);
  }

  /**
   * Whether a position's keys and values depend on the tokens up to its own alone, to the last bit,
   * and not on which positions were computed together.
   */
  public boolean computesPositionsAlone() {
    return effectivePolicy() == SlotPolicy.full() && !warmStart && exit.judgesPositionsAlone();
  }

  /** The policy given, or the strategy's. */
  public SlotPolicy effectivePolicy() {
    return policy.orElse(
        strategy instanceof Strategy.Parallel ? new SlotPolicy.Budget(1) : SlotPolicy.full());
  }
}
