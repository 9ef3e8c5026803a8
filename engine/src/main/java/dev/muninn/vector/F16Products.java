package dev.muninn.vector;

import static java.nio.ByteOrder.LITTLE_ENDIAN;

import dev.muninn.kernel.Lanes;
import dev.muninn.kernel.ScalarKernels;
import dev.muninn.model.WeightMatrix;
import dev.muninn.weights.DType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/**
 * Products of F16 weights. They are widened to a strip of floats, 16 rows at a time, and multiplied
 * as F32.
 */
final class F16Products extends RowMajorProducts {
  static final F16Products INSTANCE = new F16Products();

  private F16Products() {
    super(DType.F32);
  }

  @Override
  int stripRows() {
    return MatrixKernels.UNIT / STREAMS;
  }

  @Override
  void load(WeightMatrix matrix, int first, long streamBytes, MatrixKernels.Scratch scratch) {
    int columns = matrix.columns();
    long rowStride = matrix.stride();
    widen(matrix.data(), first * rowStride, rowStride, streamBytes, columns, scratch);
    scratch.weights = scratch.strip;
    scratch.offset = 0;
    scratch.rowStep = 4L * columns;
    scratch.streamStep = 4L * STREAMS * columns;
  }

  @Override
  void rows4(
      MemorySegment weights,
      long offset,
      long stride,
      int steps,
      MemorySegment x,
      long from,
      float[] out,
      int to) {
    F32Products.INSTANCE.rows4(weights, offset, stride, steps, x, from, out, to);
  }

  @Override
  void tile(
      MemorySegment weights,
      long offset,
      long stride,
      int steps,
      MemorySegment x,
      long from,
      boolean whole,
      float[] out,
      int to) {
    F32Products.INSTANCE.tile(weights, offset, stride, steps, x, from, whole, out, to);
  }

  @Override
  void pair(
      MemorySegment weights,
      long offset,
      long stride,
      int steps,
      float[] x,
      int from,
      boolean whole,
      float[] out,
      int to) {
    F32Products.INSTANCE.pair(weights, offset, stride, steps, x, from, whole, out, to);
  }

  /**
   * Widens {@link MatrixKernels#UNIT} rows to floats, 4 of each of 4 streams: in every chunk the
   * even columns, then the odd ones, as {@link PackedRows} has them; left-over columns as they are.
   */
  static void widen(
      MemorySegment weights,
      long offset,
      long rowStride,
      long streamBytes,
      int columns,
      MatrixKernels.Scratch scratch) {
    scratch.ensureStrip(4L * MatrixKernels.UNIT * columns);
    int chunks = columns / Lanes.CHUNK;
    for (int r = 0; r < MatrixKernels.UNIT; r++) {
      long source = offset + r % 4 * rowStride + r / 4 * streamBytes;
      long target = 4L * r * columns;
      widenChunks(weights, source, chunks, scratch.strip, target);
      for (int k = chunks * Lanes.CHUNK; k < columns; k++) {
        ScalarKernels.setF32(
            scratch.strip, target + 4L * k, ScalarKernels.weight(DType.F16, weights, source, k));
      }
    }
  }

  private static void widenChunks(
      MemorySegment weights, long source, int chunks, MemorySegment strip, long target) {
    weights.get(ValueLayout.JAVA_BYTE, source);
    for (int chunk = 0; chunk < chunks; chunk++) {
      IntVector pairs =
          IntVector.fromMemorySegment(
              Lanes.INTS, weights, source + chunk * Lanes.BYTES, LITTLE_ENDIAN);
      long at = target + chunk * 2 * Lanes.BYTES;
      // The exponent and fraction of an F16, moved to where a float has them, are those of the
      // value times 2^-112, subnormals included; infinities and NaN, of which the exponent is all
      // ones, get a float's.
      IntVector moved =
          pairs
              .lanewise(VectorOperators.LSHL, 16)
              .lanewise(VectorOperators.ASHR, 3)
              .and(0x8FFFE000);
      FloatVector value = moved.reinterpretAsFloats().mul(0x1p112f);
      value
          .blend(
              moved.or(0x7F800000).reinterpretAsFloats(),
              value.abs().compare(VectorOperators.GE, 65_536f))
          .intoMemorySegment(strip, at, LITTLE_ENDIAN);
      moved = pairs.and(0xFFFF0000).lanewise(VectorOperators.ASHR, 3).and(0x8FFFE000);
      value = moved.reinterpretAsFloats().mul(0x1p112f);
      value
          .blend(
              moved.or(0x7F800000).reinterpretAsFloats(),
              value.abs().compare(VectorOperators.GE, 65_536f))
          .intoMemorySegment(strip, at + Lanes.BYTES, LITTLE_ENDIAN);
    }
  }
}
