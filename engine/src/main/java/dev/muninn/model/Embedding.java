package dev.muninn.model;

import java.util.Objects;

/**
 * Turns tokens into vectors: a row of the matrix times a constant.
 *
 * @param matrix [vocabulary, h]
 * @param scale what every value is multiplied by
 */
public record Embedding(WeightMatrix matrix, float scale) {
  public Embedding {
    Objects.requireNonNull(matrix, "matrix");
    if (!Float.isFinite(scale)) {
      throw new IllegalArgumentException("the embedding's scale must be finite, not " + scale);
    }
  }
}
