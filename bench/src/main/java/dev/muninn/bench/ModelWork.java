package dev.muninn.bench;

import dev.muninn.model.RavenConfig;
import dev.muninn.weights.DType;

/**
 * The least that P, R and C of some rows take: every weight is read once in a call and multiplied
 * with every row. Attention, which grows with the context, and all that is done row by row are not
 * counted.
 */
record ModelWork(RavenConfig config, DType dtype, int rows) {

  Work prelude() {
    return blocks(config.preludeLayers());
  }

  Work recurrence() {
    return product(2 * square(), rows).plus(blocks(config.recurrentLayers()));
  }

  /** With the logits of one row. */
  Work coda() {
    double head = (double) config.vocabularySize() * config.embeddingSize();
    return blocks(config.codaLayers()).plus(product(head, 1));
  }

  /** The rows as tokens of one sequence, from the embedding to the logits of the last. */
  Work forward(int recurrence) {
    return prelude().plus(recurrence().times(recurrence)).plus(coda()).and(Resource.TOKENS, rows);
  }

  private Work blocks(int count) {
    double attention = 4 * square();
    double mlp = 3.0 * config.embeddingSize() * config.intermediateSize();
    return product(count * (attention + mlp), rows);
  }

  private double square() {
    return (double) config.embeddingSize() * config.embeddingSize();
  }

  private Work product(double weights, int rows) {
    return Work.ofProduct(Resource.MEMORY, dtype, weights, rows);
  }
}
