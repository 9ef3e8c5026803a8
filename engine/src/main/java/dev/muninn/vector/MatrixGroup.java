package dev.muninn.vector;

import dev.muninn.model.WeightMatrix;
import dev.muninn.weights.DType;
import java.util.List;

/**
 * Matrices that read the same input: one product with their outputs side by side, whether a file
 * stacks them or has each by itself. Matrices of one type share their packed input; each further
 * type has a packing of its own.
 */
final class MatrixGroup {
  final WeightMatrix[] matrices;

  /** Number of the first output of each matrix, and at the end of all outputs. */
  final int[] firstOutput;

  /** Number of the first unit of each matrix, and at the end of all units. */
  final int[] firstUnit;

  /** Which packing each matrix reads. */
  final int[] packing;

  /** A matrix of each packing. */
  private final WeightMatrix[] packed;

  /** Whether all matrices of a packing begin at the same place of a cache line. */
  private final boolean[] aligned;

  MatrixGroup(List<WeightMatrix> matrices) {
    this.matrices = matrices.toArray(WeightMatrix[]::new);
    int count = this.matrices.length;
    firstOutput = new int[count + 1];
    firstUnit = new int[count + 1];
    packing = new int[count];
    DType[] types = matrices.stream().map(WeightMatrix::dtype).distinct().toArray(DType[]::new);
    packed = new WeightMatrix[types.length];
    aligned = new boolean[types.length];
    for (int m = 0; m < count; m++) {
      WeightMatrix matrix = this.matrices[m];
      firstOutput[m + 1] = firstOutput[m] + matrix.rows();
      firstUnit[m + 1] = firstUnit[m] + units(matrix.rows());
      int type = 0;
      while (types[type] != matrix.dtype()) {
        type++;
      }
      packing[m] = type;
      if (packed[type] == null) {
        packed[type] = matrix;
        aligned[type] = true;
      } else {
        aligned[type] &= place(packed[type]) == place(matrix);
      }
    }
  }

  MatrixGroup(WeightMatrix matrix) {
    this(List.of(matrix));
  }

  private static long place(WeightMatrix matrix) {
    return matrix.data().address() % Lanes.BYTES;
  }

  static int units(int outputs) {
    return (outputs + MatrixKernels.UNIT - 1) / MatrixKernels.UNIT;
  }

  /** Outputs of all matrices. */
  int outputs() {
    return firstOutput[matrices.length];
  }

  /** Units of all matrices. */
  int units() {
    return firstUnit[matrices.length];
  }

  /** Packings that the input needs. */
  int packings() {
    return packed.length;
  }

  /** Sets the shape of one of the packings. */
  void shape(PackedRows input, int packing, int rows) {
    WeightMatrix matrix = packed[packing];
    if (aligned[packing]) {
      input.shape(rows, matrix);
    } else {
      input.shape(rows, matrix.columns(), matrix.dtype());
    }
  }

  /** Whether a product of so many rows needs the kernels for a few rows, by type. */
  boolean hasTiles(int rows, DType type) {
    if (rows == 0) {
      return false;
    }
    for (WeightMatrix matrix : packed) {
      if (matrix.dtype() == type && PackedRows.hasTiles(rows, matrix.columns(), type)) {
        return true;
      }
    }
    return false;
  }
}
