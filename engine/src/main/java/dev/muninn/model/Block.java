package dev.muninn.model;

import java.util.List;
import java.util.Optional;

/**
 * A transformer block: attention, then a gated MLP, each a branch off the residual stream.
 *
 * @param attention the first branch
 * @param attentionNorms its norms
 * @param mlp the second branch
 * @param mlpNorms its norms
 */
public record Block(
    Attention attention, BranchNorms attentionNorms, GatedMlp mlp, BranchNorms mlpNorms) {

  public Block {
    int width = attention.output().rows();
    if (mlp.down().rows() != width) {
      throw new IllegalArgumentException(
          "a block of width " + width + " has an MLP of width " + mlp.down().rows());
    }
    for (BranchNorms norms : List.of(attentionNorms, mlpNorms)) {
      requireWidth(norms.before(), width);
      requireWidth(norms.output(), width);
      requireWidth(norms.stream(), width);
    }
  }

  private static void requireWidth(Optional<Norm> norm, int width) {
    if (norm.isPresent() && norm.get().size() != width) {
      throw new IllegalArgumentException(
          "a norm of a block of width " + width + " has " + norm.get().size() + " values");
    }
  }

  /** The shape in a few words; the values are left out. */
  @Override
  public String toString() {
    Rotary rotary = attention.rotary();
    return "attention %d/%d x %d, %s %s x%s, MLP %d, norms %s %s"
        .formatted(
            attention.heads(),
            attention.keyValueHeads(),
            attention.headSize(),
            rotary.layout(),
            rotary.base(),
            rotary.stretch(),
            mlp.width(),
            attentionNorms,
            mlpNorms);
  }

  /** Width h of the residual stream. */
  public int width() {
    return attention.output().rows();
  }

  /** The matrices that make queries, keys and values. */
  public List<WeightMatrix> queryKeyValue() {
    return List.of(attention.query().weights(), attention.key().weights(), attention.value());
  }

  /** The matrices behind the attention. */
  public List<WeightMatrix> feedForward() {
    return List.of(attention.output(), mlp.gate(), mlp.up(), mlp.down());
  }

  /** Every matrix of the block. */
  public List<WeightMatrix> matrices() {
    return List.of(
        attention.query().weights(),
        attention.key().weights(),
        attention.value(),
        attention.output(),
        mlp.gate(),
        mlp.up(),
        mlp.down());
  }

  /** Elements of every matrix together. */
  public long weights() {
    long weights = 0;
    for (WeightMatrix matrix : matrices()) {
      weights += matrix.elements();
    }
    return weights;
  }

  static void requireSameKeys(Block block, Block other) {
    Attention a = block.attention;
    Attention b = other.attention;
    if (a.keyValueHeads() != b.keyValueHeads() || a.headSize() != b.headSize()) {
      throw new IllegalArgumentException(
          "blocks store %d x %d keys and %d x %d: all blocks must store as many"
              .formatted(a.keyValueHeads(), a.headSize(), b.keyValueHeads(), b.headSize()));
    }
  }
}
