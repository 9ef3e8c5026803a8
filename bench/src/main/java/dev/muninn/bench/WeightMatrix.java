package dev.muninn.bench;

import dev.muninn.model.RavenConfig;

/** The two largest matrices of a sandwich block, one wide and one deep. */
public enum WeightMatrix {
  /** Gate stacked over up, [2i, h]. */
  GATE_UP,
  /** [h, i]. */
  MLP_PROJECTION;

  public int rows(RavenConfig config) {
    return this == GATE_UP ? 2 * config.intermediateSize() : config.embeddingSize();
  }

  public int columns(RavenConfig config) {
    return this == GATE_UP ? config.embeddingSize() : config.intermediateSize();
  }

  public double elements(RavenConfig config) {
    return (double) rows(config) * columns(config);
  }
}
