package dev.muninn.model;

import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * R, which is applied r times with the same weights: {@code s = norm(blocks(A [s ; e]))}.
 *
 * @param start s_0
 * @param injection the adapter A that mixes the latent state with the embedded token in the order
 *     [s ; e], [h, 2h]; without it the blocks read s alone
 * @param blocks at least one
 * @param norm on the state behind every recurrence
 */
public record RecurrentBlock(
    StartState start, Optional<WeightMatrix> injection, List<Block> blocks, Optional<Norm> norm) {
  public RecurrentBlock {
    Objects.requireNonNull(start, "start");
    Objects.requireNonNull(injection, "injection");
    Objects.requireNonNull(norm, "norm");
    blocks = List.copyOf(blocks);
    if (blocks.isEmpty()) {
      throw new IllegalArgumentException("the recurrent block needs at least one block");
    }
    if (start instanceof StartState.Random && injection.isEmpty()) {
      throw new IllegalArgumentException("a model that starts from noise needs an injection");
    }
  }
}
