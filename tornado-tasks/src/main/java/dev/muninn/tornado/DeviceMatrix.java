package dev.muninn.tornado;

import dev.muninn.model.WeightMatrix;
import dev.muninn.tornado.kernel.TensorKernels;
import dev.muninn.tornado.kernel.WeightFormat;
import java.lang.foreign.MemorySegment;
import java.util.List;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.HalfFloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * Weights as kernels take them: matrices with the same inputs, one below the other.
 *
 * @param rows outputs of the product
 * @param columns inputs of the product
 * @param stride weights from one row to the next
 * @param format how they lie, by {@link WeightFormat}
 * @param floats the weights if they are floats, scales if they have some, else a dummy
 * @param packed the weights if they are neither floats nor an array of halves, else a dummy
 * @param halves the weights if they are in F16 and the device converts halves, else a dummy
 */
record DeviceMatrix(
    int rows,
    int columns,
    int stride,
    int format,
    FloatArray floats,
    IntArray packed,
    HalfFloatArray halves) {
  private static final FloatArray NO_FLOATS = new FloatArray(1);
  private static final HalfFloatArray NO_HALVES = new HalfFloatArray(1);
  private static final IntArray NO_INTS = new IntArray(1);

  /** Weights that are no array of halves. */
  DeviceMatrix(int rows, int columns, int stride, int format, FloatArray floats, IntArray packed) {
    this(rows, columns, stride, format, floats, packed, NO_HALVES);
  }

  /** A matrix that waits for its upload as long as {@code staging} is open. */
  static DeviceMatrix stage(WeightMatrix matrix, Staging staging) {
    return stage(List.of(matrix), staging);
  }

  /** Matrices one below the other. */
  static DeviceMatrix stage(List<WeightMatrix> matrices, Staging staging) {
    int format = format(matrices);
    int rows = rows(matrices);
    int columns = matrices.getFirst().columns();
    int stride = stride(format, columns);
    FloatArray floats = NO_FLOATS;
    IntArray packed = NO_INTS;
    HalfFloatArray halves = NO_HALVES;
    switch (format) {
      case WeightFormat.F32 -> floats = FloatArray.fromSegmentShallow(staging.stage(matrices));
      case WeightFormat.Q8, WeightFormat.Q4 -> {
        int blocks = stride / WeightFormat.BLOCK;
        MemorySegment scales = staging.room(4L * rows * blocks);
        MemorySegment weights = staging.room(bytes(format, rows, stride));
        RowMajor.pack(matrices, scales, weights);
        floats = FloatArray.fromSegmentShallow(scales);
        packed = IntArray.fromSegmentShallow(weights);
      }
      default -> {
        MemorySegment weights = staging.stage(matrices);
        if (format == WeightFormat.F16 && staging.halves()) {
          halves = HalfFloatArray.fromSegmentShallow(weights);
        } else {
          packed = IntArray.fromSegmentShallow(weights);
        }
      }
    }
    return new DeviceMatrix(rows, columns, stride, format, floats, packed, halves);
  }

  /** Whether tensor cores take it. */
  boolean fitsTensors() {
    return format == WeightFormat.BF16
        && columns % TensorKernels.COLUMNS == 0
        && rows % TensorKernels.OUTPUTS == 0;
  }

  /** Whether the weights are an array of halves. */
  boolean inHalves() {
    return halves != NO_HALVES;
  }

  /** The two arrays that a kernel takes, to be transferred. */
  Object[] arrays() {
    return new Object[] {inHalves() ? halves : floats, packed};
  }

  /** Bytes of all arrays, as far as they hold something. */
  double bytes() {
    return 4.0
            * ((floats == NO_FLOATS ? 0 : floats.getSize())
                + (packed == NO_INTS ? 0 : packed.getSize()))
        + 2.0 * (inHalves() ? halves.getSize() : 0);
  }

  /** Bytes that matrices one below the other take on the device. */
  static long bytes(List<WeightMatrix> matrices) {
    int format = format(matrices);
    int stride = stride(format, matrices.getFirst().columns());
    long rows = rows(matrices);
    boolean scaled = WeightFormat.isScaled(format);
    return bytes(format, rows, stride) + (scaled ? 4 * rows * (stride / WeightFormat.BLOCK) : 0);
  }

  private static long bytes(int format, long rows, int stride) {
    return 4 * rows * stride / WeightFormat.perInt(format);
  }

  private static int rows(List<WeightMatrix> matrices) {
    return matrices.stream().mapToInt(WeightMatrix::rows).reduce(0, Math::addExact);
  }

  /** Rows of blocks end with a whole one. */
  private static int stride(int format, int columns) {
    return WeightFormat.isScaled(format)
        ? Math.ceilDiv(columns, WeightFormat.BLOCK) * WeightFormat.BLOCK
        : columns;
  }

  /** The format of all: floats where they differ, or where a row does not end with an int. */
  private static int format(List<WeightMatrix> matrices) {
    int format = format(matrices.getFirst());
    boolean same = matrices.stream().allMatch(matrix -> format(matrix) == format);
    return same ? format : WeightFormat.F32;
  }

  private static int format(WeightMatrix matrix) {
    int format =
        switch (matrix.format()) {
          case F32 -> WeightFormat.F32;
          case F16 -> WeightFormat.F16;
          case BF16, BF16_PANELS -> WeightFormat.BF16;
          case Q8 -> WeightFormat.Q8;
          case Q4 -> WeightFormat.Q4;
        };
    boolean odd = matrix.columns() % 2 != 0;
    return odd && WeightFormat.perInt(format) == 2 ? WeightFormat.F32 : format;
  }
}
