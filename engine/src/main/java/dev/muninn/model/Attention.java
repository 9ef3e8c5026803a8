package dev.muninn.model;

import java.util.Objects;

/**
 * Causal softmax attention whose heads share keys and values in groups.
 *
 * @param heads query heads, a multiple of {@code keyValueHeads}
 * @param keyValueHeads heads of keys and values; query head i reads head {@code i / (heads /
 *     keyValueHeads)}
 * @param headSize width of a head, even; heads x headSize need not be the model's width
 * @param rotary turns queries and keys
 * @param query [heads x headSize, h]
 * @param key [keyValueHeads x headSize, h]
 * @param value [keyValueHeads x headSize, h]
 * @param output back to the model's width, [h, heads x headSize]
 */
public record Attention(
    int heads,
    int keyValueHeads,
    int headSize,
    Rotary rotary,
    Projection query,
    Projection key,
    WeightMatrix value,
    WeightMatrix output) {

  public Attention {
    Objects.requireNonNull(rotary, "rotary");
    if (heads < 1 || keyValueHeads < 1 || headSize < 2) {
      throw new IllegalArgumentException(
          "attention needs heads, not "
              + heads
              + " of queries and "
              + keyValueHeads
              + " of keys and values of size "
              + headSize);
    }
    if (heads % keyValueHeads != 0) {
      throw new IllegalArgumentException(
          heads
              + " query heads cannot share "
              + keyValueHeads
              + " heads of keys and values evenly");
    }
    if (rotary.headSize() != headSize) {
      throw new IllegalArgumentException(
          "a rotary embedding for heads of size " + rotary.headSize() + ", not " + headSize);
    }
    int width = output.rows();
    requireShape("query", query.weights(), heads * headSize, width);
    requireShape("key", key.weights(), keyValueHeads * headSize, width);
    requireShape("value", value, keyValueHeads * headSize, width);
    requireShape("output", output, width, heads * headSize);
  }

  private static void requireShape(String name, WeightMatrix matrix, int rows, int columns) {
    if (matrix.rows() != rows || matrix.columns() != columns) {
      throw new IllegalArgumentException(
          "the %s matrix of attention is %d x %d, not %d x %d"
              .formatted(name, matrix.rows(), matrix.columns(), rows, columns));
    }
  }

  /** Query heads that share a head of keys and values. */
  public int groupSize() {
    return heads / keyValueHeads;
  }

  /** Values of a row's queries, and of what attention makes of them. */
  public int width() {
    return heads * headSize;
  }

  /** Values of a row's keys. */
  public int keyValueWidth() {
    return keyValueHeads * headSize;
  }
}
