package dev.muninn.vector;

import dev.muninn.kernel.Lanes;
import dev.muninn.kernel.NativeMemory;
import dev.muninn.model.WeightMatrix;
import dev.muninn.weights.DType;
import java.lang.foreign.MemorySegment;

/**
 * Matrix times rows, {@code y[c][o] = sum over k of w[o][k] x[c][k]}, on weights in place. {@link
 * Products} has what is computed for a weight format.
 *
 * <p>However it is computed, a result has one vector of partial sums, to which chunks are added in
 * ascending order, first vector before second, and which {@link Lanes#reduce} folds. So a result is
 * the same to the last bit whatever rows stand beside it, whichever kernel computes it and on
 * however many threads; {@link ScalarMatrixKernels#dot} says the same without vectors.
 */
final class MatrixKernels {
  /** Outputs that are computed together; threads share the outputs out in these units. */
  static final int UNIT = 16;

  private MatrixKernels() {}

  /**
   * Computes the outputs from {@code from} to {@code to} of every packed row.
   *
   * @param matrix [outputs, columns]
   * @param from first output, a multiple of {@link #UNIT}
   * @param to end of the outputs
   * @param x rows packed for the matrix' type
   * @param y gets y[c][o] at {@code at + c * stride + o}
   */
  static void multiply(
      WeightMatrix matrix,
      int from,
      int to,
      PackedRows x,
      float[] y,
      int at,
      int stride,
      Scratch scratch) {
    if (x.packing()) {
      PackingProducts.multiply(matrix, from, to, x, y, at, stride, scratch);
      return;
    }
    Products.of(matrix.format()).multiply(matrix, from, to, x, y, at, stride, scratch);
  }

  /**
   * The products of 16 weight rows with one packed row: 4 rows in each of 4 streams.
   *
   * @param dtype F32 or BF16
   * @param offset byte offset of the first weight row
   * @param rowStride bytes from one weight row of a stream to the next
   * @param streamBytes bytes from one stream to the next
   * @param x the packed row
   * @param partials gets the product of row i of stream j at 4 j + i
   */
  static void dot16(
      DType dtype,
      MemorySegment weights,
      long offset,
      long rowStride,
      long streamBytes,
      int columns,
      MemorySegment x,
      boolean paired,
      float[] partials) {
    RowMajorProducts.of(dtype)
        .dot16(weights, offset, rowStride, streamBytes, columns, x, paired, partials);
  }

  /** One thread's scratch memory. */
  static final class Scratch {
    final float[] partials = new float[Lanes.PARTIALS];
    final float[] results = new float[2 * WideProducts.STRIP * UNIT];
    final float[] lanes = new float[Lanes.COUNT];
    MemorySegment strip = MemorySegment.NULL;
    final int[] laneStarts = new int[Lanes.COUNT + 1];
    private float[] sums = new float[0];
    private float[] widened = new float[0];

    // The weight rows that are multiplied next: some rows of each of some streams.
    MemorySegment weights;
    long offset;
    long rowStep;
    long streamStep;

    /** Room for 32 sums of each row. */
    float[] sums(int rows) {
      if (sums.length < PanelTiles.OUTPUTS * rows) {
        sums = new float[PanelTiles.OUTPUTS * rows];
      }
      return sums;
    }

    /** Room for widened weights of a panel. */
    float[] widened() {
      if (widened.length == 0) {
        int most = Math.max(PanelTiles.WIDENED, PackingProducts.COLUMNS * PanelTiles.OUTPUTS);
        widened = new float[most];
      }
      return widened;
    }

    void ensureStrip(long bytes) {
      if (strip.byteSize() < bytes) {
        strip = NativeMemory.allocateAutomatic(bytes);
      }
    }
  }
}
