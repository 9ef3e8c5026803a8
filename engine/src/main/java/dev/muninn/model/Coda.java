package dev.muninn.model;

import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * C, which reads out the next token: {@code logits = head beforeHead(blocks(before(s)))}.
 *
 * @param before on the last latent state
 * @param blocks may be none
 * @param beforeHead on the stream behind the blocks
 * @param head [vocabulary, h]; the embedding itself if they are tied
 */
public record Coda(
    Optional<Norm> before, List<Block> blocks, Optional<Norm> beforeHead, WeightMatrix head) {
  public Coda {
    Objects.requireNonNull(before, "before");
    Objects.requireNonNull(beforeHead, "beforeHead");
    Objects.requireNonNull(head, "head");
    blocks = List.copyOf(blocks);
  }
}
