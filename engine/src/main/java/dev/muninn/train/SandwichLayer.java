package dev.muninn.train;

import dev.muninn.kernel.RowKernels;

/**
 * A sandwich block (arXiv 2502.05171, section 3.2): {@code x = norm2(x + attention(norm1(x)))},
 * {@code x = norm4(x + mlp(norm3(x)))}; without the outer norms the pre-norm block that the paper's
 * section 7.3 compares with.
 */
final class SandwichLayer {
  private final Norm norm1;
  private final Norm norm2;
  private final Norm norm3;
  private final Norm norm4;
  private final Linear queryKeyValue;
  private final Attention attention;
  private final Linear attentionProjection;
  private final GatedMlp mlp;

  /**
   * @param norm2 null, as {@code norm4}, in a pre-norm block
   */
  SandwichLayer(
      Norm norm1,
      Norm norm2,
      Norm norm3,
      Norm norm4,
      Linear queryKeyValue,
      Attention attention,
      Linear attentionProjection,
      GatedMlp mlp) {
    this.norm1 = norm1;
    this.norm2 = norm2;
    this.norm3 = norm3;
    this.norm4 = norm4;
    this.queryKeyValue = queryKeyValue;
    this.attention = attention;
    this.attentionProjection = attentionProjection;
    this.mlp = mlp;
  }

  /** Computes the block's output and returns it; all activations stay for the backward. */
  Rows forward(Workspace space, Rows x, BlockActivations kept, int length) {
    int rows = x.rows();
    kept.input = x;
    final Rows normed = space.normed(rows);
    final Rows mixed = kept.queryKeyValue(rows);
    final Rows attentionSum = kept.attentionSum(rows);
    final Rows mlpSum = kept.mlpSum(rows);
    norm1.forward(x, normed);
    queryKeyValue.forward(space.products, normed, mixed);
    attention.forward(space, mixed, kept.attended(rows), length);
    copy(x, attentionSum);
    attentionProjection.forwardAdd(space.products, kept.attended(rows), attentionSum);
    Rows middle = kept.middle(rows);
    if (norm2 != null) {
      norm2.forward(attentionSum, middle);
    }
    norm3.forward(middle, normed);
    copy(middle, mlpSum);
    mlp.forwardAdd(space, normed, kept.gateUp(rows), mlpSum);
    Rows output = kept.output(rows);
    if (norm4 != null) {
      norm4.forward(mlpSum, output);
    }
    return output;
  }

  /**
   * Adds the gradients of the weights and replaces that of the output by that of the input.
   *
   * @param gradient [rows, h]
   */
  void backward(Workspace space, BlockActivations kept, Rows gradient, int length) {
    int rows = gradient.rows();
    final Rows normed = space.normed(rows);
    final Rows middle = kept.middle(rows);
    if (norm4 != null) {
      norm4.backward(space, kept.mlpSum(rows), gradient, gradient);
    }
    norm3.forward(middle, normed);
    mlp.backward(space, normed, kept.gateUp(rows), gradient, normed);
    norm3.backwardAdd(space, middle, normed, gradient);
    if (norm2 != null) {
      norm2.backward(space, kept.attentionSum(rows), gradient, gradient);
    }
    Rows attendedGradient = space.attendedGradient(rows);
    Rows mixedGradient = space.queryKeyValueGradient(rows);
    attentionProjection.backwardInput(space.products, gradient, attendedGradient);
    attentionProjection.backwardWeight(space.products, gradient, kept.attended(rows), space.thread);
    attention.backward(space, kept.queryKeyValue(rows), attendedGradient, mixedGradient, length);
    norm1.forward(kept.input, normed);
    queryKeyValue.backwardWeight(space.products, mixedGradient, normed, space.thread);
    queryKeyValue.backwardInput(space.products, mixedGradient, normed);
    norm1.backwardAdd(space, kept.input, normed, gradient);
  }

  /** Takes over the weights' values. */
  void refresh() {
    queryKeyValue.refresh();
    attentionProjection.refresh();
    mlp.gateUp.refresh();
    mlp.projection.refresh();
  }

  /** Copies rows that have no gaps. */
  static void copy(Rows source, Rows target) {
    System.arraycopy(
        source.data(),
        source.from(),
        target.data(),
        target.from(),
        source.rows() * source.stride());
  }

  /** Adds rows that have no gaps. */
  static void add(Rows target, Rows source) {
    RowKernels.add(
        target.data(),
        target.from(),
        source.data(),
        source.from(),
        source.rows() * source.stride());
  }
}
