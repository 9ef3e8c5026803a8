package dev.muninn.vector;

import dev.muninn.backend.MatrixInputs;
import dev.muninn.kernel.ThreadTeam;
import dev.muninn.model.WeightFormat;
import java.util.Arrays;
import java.util.Set;

/**
 * Products of a chunk's rows, divided among the threads of a team: every thread packs its own rows,
 * and behind a barrier takes outputs as it comes to them.
 */
final class TeamProducts {
  /** Units of a product that a thread takes at once at the least. */
  private static final int LEAST_STEP = 4;

  /** Units of gates, and of ups, that a thread computes at once for many rows. */
  static final int GATE_UNITS = 12;

  /** How often a thread takes units of a product, if all are equally fast. */
  private static final int TURNS = 6;

  private final ThreadTeam team;
  private final PackedRows[] packed;

  /** Is shown all rows; null if nobody is. */
  private final MatrixInputs inputs;

  /**
   * Room for packed rows.
   *
   * @param packings most formats of matrices that read the same input
   * @param formats all formats
   * @param inputs is shown all rows, or null
   */
  TeamProducts(
      ThreadTeam team,
      int packings,
      int rows,
      int columns,
      Set<WeightFormat> formats,
      MatrixInputs inputs) {
    this.team = team;
    this.inputs = inputs;
    this.packed = new PackedRows[packings];
    for (int i = 0; i < packings; i++) {
      packed[i] = new PackedRows(rows, columns);
      for (WeightFormat format : formats) {
        packed[i].reserve(rows, columns, format);
      }
    }
  }

  /** Every thread sets the same shape; the last product is behind a barrier. */
  void shape(int thread, int rows, MatrixGroup group) {
    for (int i = 0; i < group.packings(); i++) {
      group.shape(packed[i], i, rows);
    }
    if (thread == 0) {
      team.resetClaims();
    }
  }

  /** Packs one row. */
  void pack(MatrixGroup group, int row, float[] source, int from) {
    if (inputs != null) {
      inputs.accept(Arrays.asList(group.matrices), source, from);
    }
    for (int i = 0; i < group.packings(); i++) {
      Kernels.pack(packed[i], row, source, from);
    }
  }

  /**
   * The thread's part of a product. Threads take outputs as they come to them: one that the system
   * has slowed down must not keep the others waiting.
   *
   * @param y gets output o of row r at {@code at + r * group.outputs() + o}
   */
  void multiply(MatrixGroup group, float[] y, int at, MatrixKernels.Scratch scratch) {
    int units = group.units();
    int stride = group.outputs();
    int step = step(units);
    for (int unit = team.claim(step); unit < units; unit = team.claim(step)) {
      int end = Math.min(units, unit + step);
      for (int m = 0; m < group.matrices.length; m++) {
        int from = Math.max(unit, group.firstUnit[m]) - group.firstUnit[m];
        int to = Math.min(end, group.firstUnit[m + 1]) - group.firstUnit[m];
        int first = from * MatrixKernels.UNIT;
        int last = Math.min(group.matrices[m].rows(), to * MatrixKernels.UNIT);
        if (first < last) {
          Kernels.multiply(
              group.matrices[m],
              first,
              last,
              packed[group.packing[m]],
              y,
              at + group.firstOutput[m],
              stride,
              scratch);
        }
      }
    }
  }

  /**
   * A thread computes the gate and the up of the same columns, and needs no barrier between; of
   * many rows, of so few columns that the cache has them until they are multiplied.
   *
   * @param group the gate's matrix and the up's
   * @param hidden gets silu(gate) * up, row by row
   */
  void gate(MatrixGroup group, int rows, float[] hidden, ThreadScratch own) {
    int outputs = group.firstOutput[1];
    int units = group.firstUnit[1];
    int step = rows > PackedRows.WIDE_TILE ? Math.min(step(units), GATE_UNITS) : step(units);
    for (int unit = team.claim(step); unit < units; unit = team.claim(step)) {
      int from = unit * MatrixKernels.UNIT;
      int to = Math.min(outputs, (unit + step) * MatrixKernels.UNIT);
      int size = to - from;
      if (size <= 0) {
        continue;
      }
      int stride = 2 * size;
      for (int m = 0; m < 2; m++) {
        Kernels.multiply(
            group.matrices[m],
            from,
            to,
            packed[group.packing[m]],
            own.gateUp,
            m * size - from,
            stride,
            own.product);
      }
      for (int row = 0; row < rows; row++) {
        int at = row * stride;
        Kernels.gate(own.gateUp, at, own.gateUp, at + size, hidden, row * outputs + from, size);
      }
    }
  }

  /** Units that a thread takes at once: several turns each, but long streams. */
  private int step(int units) {
    int threads = team.running();
    return threads == 1 ? units : Math.max(LEAST_STEP, units / (threads * TURNS) / 2 * 2);
  }
}
