package dev.muninn.bench;

import dev.muninn.model.RecurrentModel;

/** The two largest matrices of a sandwich block, one wide and one deep, and one of part rows. */
public enum BlockMatrix {
  /** Gate stacked over up, [2i, h]. */
  GATE_UP,
  /** [h, i]. */
  MLP_PROJECTION,
  /** The adapter's columns for the latent state, [h, h] of [h, 2h]. */
  ADAPTER_STATE;

  public int rows(RecurrentModel model) {
    return this == GATE_UP ? 2 * intermediate(model) : model.width();
  }

  public int columns(RecurrentModel model) {
    return this == MLP_PROJECTION ? intermediate(model) : model.width();
  }

  /** Columns of the matrix that it is the first columns of. */
  public int wholeColumns(RecurrentModel model) {
    return this == ADAPTER_STATE ? 2 * columns(model) : columns(model);
  }

  public double elements(RecurrentModel model) {
    return (double) rows(model) * columns(model);
  }

  private static int intermediate(RecurrentModel model) {
    return model.core().blocks().getFirst().mlp().width();
  }
}
