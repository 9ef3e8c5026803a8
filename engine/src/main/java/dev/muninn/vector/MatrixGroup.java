package dev.muninn.vector;

import dev.muninn.kernel.Lanes;
import dev.muninn.model.WeightFormat;
import dev.muninn.model.WeightMatrix;
import java.util.ArrayList;
import java.util.List;

/**
 * Matrices that read the same input: one product with their outputs side by side, whether a file
 * stacks them or has each by itself. Matrices of one format share their packed input; each further
 * format has a packing of its own.
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
    this.matrices = matrices.toArray(new WeightMatrix[0]);
    int count = this.matrices.length;
    firstOutput = new int[count + 1];
    firstUnit = new int[count + 1];
    packing = new int[count];
    List<WeightFormat> formats = new ArrayList<>();
    for (WeightMatrix matrix : matrices) {
      if (!formats.contains(matrix.format())) {
        formats.add(matrix.format());
      }
    }
    packed = new WeightMatrix[formats.size()];
    aligned = new boolean[formats.size()];
    for (int m = 0; m < count; m++) {
      WeightMatrix matrix = this.matrices[m];
      firstOutput[m + 1] = firstOutput[m] + matrix.rows();
      firstUnit[m + 1] = firstUnit[m] + units(matrix.rows());
      int format = formats.indexOf(matrix.format());
      packing[m] = format;
      if (packed[format] == null) {
        packed[format] = matrix;
        aligned[format] = true;
      } else {
        aligned[format] &= place(packed[format]) == place(matrix);
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
    // An even number, so that a panel is never divided.
    return 2 * Math.ceilDiv(outputs, 2 * MatrixKernels.UNIT);
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
      input.shape(rows, matrix.columns(), matrix.format());
    }
  }

  /** Whether a product of so many rows needs the kernels for a few rows, by format. */
  boolean hasTiles(int rows, WeightFormat format) {
    if (rows == 0) {
      return false;
    }
    for (WeightMatrix matrix : packed) {
      if (matrix.format() == format && PackedRows.hasTiles(rows, matrix.columns(), format)) {
        return true;
      }
    }
    return false;
  }
}
