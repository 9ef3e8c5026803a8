package dev.muninn.bench;

import dev.muninn.model.RavenConfig;

/** The two largest matrices of a sandwich block, one wide and one deep, and one of part rows. */
public enum WeightMatrix {
  /** Gate stacked over up, [2i, h]. */
  GATE_UP,
  /** [h, i]. */
  MLP_PROJECTION,
  /** The adapter's columns for the latent state, [h, h] of [h, 2h]. */
  ADAPTER_STATE;

  public int rows(RavenConfig config) {
    return this == GATE_UP ? 2 * config.intermediateSize() : config.embeddingSize();
  }

  public int columns(RavenConfig config) {
    return this == MLP_PROJECTION ? config.intermediateSize() : config.embeddingSize();
  }

  /** Columns of the matrix that it is the first columns of. */
  public int wholeColumns(RavenConfig config) {
    return this == ADAPTER_STATE ? 2 * columns(config) : columns(config);
  }

  public double elements(RavenConfig config) {
    return (double) rows(config) * columns(config);
  }
}
