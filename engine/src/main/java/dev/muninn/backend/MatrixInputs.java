package dev.muninn.backend;

import dev.muninn.model.WeightMatrix;
import java.util.List;

/** Is shown what a model's matrices are multiplied with. */
@FunctionalInterface
public interface MatrixInputs {
  /**
   * One row, before it is multiplied.
   *
   * @param matrices that are multiplied with it, by their places in memory
   * @param values has the row from {@code from} on, as many as the matrices have columns; valid
   *     during the call
   */
  void accept(List<WeightMatrix> matrices, float[] values, int from);
}
