package dev.muninn.model;

import java.util.Objects;

/**
 * The weights of one sandwich block (arXiv 2502.05171, section 3.2): {@code x = norm2(x +
 * attention(norm1(x)))}, {@code x = norm4(x + mlp(norm3(x)))}.
 *
 * @param norm1 scale of the norm before attention, [h]
 * @param norm2 scale of the norm after attention, on the residual stream, [h]
 * @param norm3 scale of the norm before the MLP, [h]
 * @param norm4 scale of the norm after the MLP, on the residual stream, [h]
 * @param queryKeyValue queries, keys and values stacked by rows, [3h, h]
 * @param queryBias added to the queries before RoPE, [h]; zeros if the model has none
 * @param keyBias added to the keys before RoPE, [h]; zeros if the model has none
 * @param attentionProjection [h, h]
 * @param gateUp gate stacked over up, [2i, h]
 * @param mlpProjection [h, i]
 */
public record SandwichBlock(
    float[] norm1,
    float[] norm2,
    float[] norm3,
    float[] norm4,
    Matrix queryKeyValue,
    float[] queryBias,
    float[] keyBias,
    Matrix attentionProjection,
    Matrix gateUp,
    Matrix mlpProjection) {

  public SandwichBlock {
    Objects.requireNonNull(queryKeyValue, "queryKeyValue");
    Objects.requireNonNull(attentionProjection, "attentionProjection");
    Objects.requireNonNull(gateUp, "gateUp");
    Objects.requireNonNull(mlpProjection, "mlpProjection");
    int width = queryKeyValue.columns();
    for (float[] vector : new float[][] {norm1, norm2, norm3, norm4, queryBias, keyBias}) {
      if (vector.length != width) {
        throw new IllegalArgumentException(
            "a vector of a block of width " + width + " has " + vector.length + " values");
      }
    }
  }
}
