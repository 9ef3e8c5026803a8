package dev.muninn.vector;

import static java.nio.ByteOrder.LITTLE_ENDIAN;

import dev.muninn.kernel.Lanes;
import dev.muninn.kernel.NativeMemory;
import dev.muninn.model.WeightMatrix;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/**
 * Products of BF16 weights with more than 4 rows, on 512-bit vectors: in tiles of 3 by 8, for which
 * a weight is decoded half as often as in tiles of 4 by 4, and comes from memory while the
 * multipliers are busy, not in turn with them.
 */
final class WideProducts {
  /**
   * Rows, of each of 3 streams, of a strip of weights: as many as a vector has lanes, so that whole
   * vectors of results are brought to where they belong.
   */
  static final int STRIP = Lanes.SUMS;

  /** Where the results for the third stream begin, behind those for the other two. */
  static final int THIRD_STREAM = STRIP * MatrixKernels.UNIT;

  /** What the hardware's prefetching does not look beyond. */
  private static final long PAGE_BYTES = 4096;

  /** Outputs for each that is computed twice so that streams are whole pages apart. */
  private static final int LEAST_PER_REPEATED = 32;

  /** Outputs of which each third has the 4 that a tile takes. */
  private static final int LEAST_OUTPUTS = 12;

  private static final MemorySegment ZEROS = NativeMemory.allocateAutomatic(Lanes.BYTES);

  // Of two BF16 numbers in an int.
  private static final int EXPONENT_BITS = 0x7F80_7F80;
  private static final int LEAST_EXPONENT_BITS = 0x0080_0080;
  private static final int SIGNS = 0x8000_8000;

  /**
   * A vector of {@link #EXPONENT_BITS} and one of zeros: read from between, it has some of both.
   */
  private static final int[] EXPONENTS = exponents();

  private WideProducts() {}

  /** {@link MatrixKernels#multiply}, for rows packed in groups of 8. */
  static void multiply(
      WeightMatrix matrix,
      int from,
      int to,
      PackedRows x,
      float[] y,
      int at,
      int stride,
      MatrixKernels.Scratch scratch) {
    int outputs = to - from;
    if (outputs < LEAST_OUTPUTS) {
      RowMajorProducts.multiplyByScalars(matrix, from, to, x, y, at, stride, scratch);
      return;
    }
    // The streams overlap by some rows, so that they are equally long and end with the range: what
    // is computed twice is the same both times.
    int distance = wideDistance(outputs, matrix.stride());
    int height = outputs - 2 * distance;
    for (int begin = 0; begin < height; begin += STRIP) {
      int end = Math.min(height, begin + STRIP);
      for (int group = 0; group < x.groups(); group++) {
        if (x.groupSize(group) == PackedRows.WIDE_TILE) {
          wideGroup(matrix, from, begin, end, distance, x, group, y, at, stride, scratch);
        } else {
          for (int stream = 0; stream < 3; stream++) {
            int first = from + stream * distance;
            lastGroup(matrix, first + begin, first + end, x, group, y, at, stride, scratch);
          }
        }
      }
    }
  }

  /**
   * Rows from one of 3 streams to the next. Where few need be computed twice for it, streams are
   * whole pages apart: at the end of a page the hardware's prefetching begins anew, and the
   * multipliers wait once for all streams.
   */
  static int wideDistance(int outputs, long rowStride) {
    int rows = (int) (PAGE_BYTES / Math.min(PAGE_BYTES, Long.lowestOneBit(rowStride)));
    int distance = outputs / 3 / rows * rows;
    int repeated = 2 * (outputs - 3 * distance);
    return repeated * LEAST_PER_REPEATED <= outputs ? distance : outputs / 3;
  }

  /**
   * Finds some weight rows for packed rows that may be displaced: then they begin with the cache
   * line, which has the end of what lies before them, and end with one. The packed rows have zeros
   * there, so what lies beside a row does not matter, as long as it is finite. Where it is not, or
   * where nothing lies, the rows are copied, with zeros beside them.
   *
   * @param distance rows from one to the next
   */
  private static void locate(
      WeightMatrix matrix,
      int first,
      int count,
      int distance,
      PackedRows x,
      MatrixKernels.Scratch scratch) {
    long rowStride = matrix.stride();
    long before = (long) x.shift() * Short.BYTES;
    scratch.weights = matrix.data();
    scratch.offset = first * rowStride - before;
    scratch.rowStep = distance * rowStride;
    if (before == 0
        || first > 0
            && first + (count - 1) * distance < matrix.rows() - 1
            && hasFiniteNeighbours(scratch, count, matrix.rowBytes(), x.shift() / 2)) {
      return;
    }
    scratch.offset = 0;
    long rowBytes = matrix.rowBytes();
    scratch.rowStep = rowBytes + Lanes.BYTES;
    scratch.ensureStrip(count * scratch.rowStep);
    scratch.weights = scratch.strip;
    for (int i = 0; i < count; i++) {
      long source = (first + (long) i * distance) * rowStride;
      long target = i * scratch.rowStep;
      MemorySegment.copy(ZEROS, 0, scratch.strip, target, before);
      MemorySegment.copy(matrix.data(), source, scratch.strip, target + before, rowBytes);
      long end = target + before + rowBytes;
      MemorySegment.copy(ZEROS, 0, scratch.strip, end, Lanes.BYTES - before);
    }
  }

  /**
   * Whether the numbers that share the first and the last cache line with the located rows are
   * finite: none has an exponent of ones only.
   *
   * @param lanes pairs of numbers before each row
   */
  private static boolean hasFiniteNeighbours(
      MatrixKernels.Scratch scratch, int count, long rowBytes, int lanes) {
    MemorySegment weights = scratch.weights;
    long offset = scratch.offset;
    long step = scratch.rowStep;
    weights.get(ValueLayout.JAVA_BYTE, offset);
    IntVector before = IntVector.fromArray(Lanes.INTS, EXPONENTS, Lanes.COUNT - lanes);
    IntVector behind = before.lanewise(VectorOperators.XOR, EXPONENT_BITS);
    IntVector infinite = IntVector.zero(Lanes.INTS);
    for (int i = 0; i < count; i++) {
      long at = offset + i * step;
      // A carry into the sign's place says that all bits were set.
      infinite =
          IntVector.fromMemorySegment(Lanes.INTS, weights, at, LITTLE_ENDIAN)
              .and(before)
              .add(LEAST_EXPONENT_BITS)
              .or(infinite);
      infinite =
          IntVector.fromMemorySegment(Lanes.INTS, weights, at + rowBytes, LITTLE_ENDIAN)
              .and(behind)
              .add(LEAST_EXPONENT_BITS)
              .or(infinite);
    }
    return !infinite.and(SIGNS).compare(VectorOperators.NE, 0).anyTrue();
  }

  private static int[] exponents() {
    int[] exponents = new int[2 * Lanes.COUNT];
    Arrays.fill(exponents, 0, Lanes.COUNT, EXPONENT_BITS);
    return exponents;
  }

  /** The products of a group of 8 rows with a strip of 3 streams. */
  private static void wideGroup(
      WeightMatrix matrix,
      int from,
      int begin,
      int end,
      int distance,
      PackedRows x,
      int group,
      float[] y,
      int at,
      int stride,
      MatrixKernels.Scratch scratch) {
    for (int o = begin; o < end; o++) {
      locate(matrix, from + o, 3, distance, x, scratch);
      Bf16Products.tileWide(
          scratch.weights,
          scratch.offset,
          scratch.rowStep,
          x.chunks(),
          x.data,
          x.groupOffset(group),
          scratch.results,
          (o - begin) * MatrixKernels.UNIT);
    }
    Lanes.transpose(scratch.results, 0);
    Lanes.transpose(scratch.results, THIRD_STREAM);
    int first = PackedRows.WIDE_TILE * group;
    for (int c = 0; c < Math.min(PackedRows.WIDE_TILE, x.rows() - first); c++) {
      int target = at + (first + c) * stride + from + begin;
      for (int stream = 0; stream < 3; stream++) {
        int index =
            stream < 2
                ? (2 * c + stream) * MatrixKernels.UNIT
                : THIRD_STREAM + 2 * c * MatrixKernels.UNIT;
        Lanes.copy(scratch.results, index, y, target + stream * distance, end - begin);
      }
    }
  }

  /** The products of the 4 rows that are left with weights that the cache still has. */
  private static void lastGroup(
      WeightMatrix matrix,
      int from,
      int to,
      PackedRows x,
      int group,
      float[] y,
      int at,
      int stride,
      MatrixKernels.Scratch scratch) {
    int first = PackedRows.WIDE_TILE * group;
    for (int next = from; next < to; next += 4) {
      int o = Math.min(next, to - 4);
      locate(matrix, o, 4, 1, x, scratch);
      Bf16Products.INSTANCE.tile(
          scratch.weights,
          scratch.offset,
          scratch.rowStep,
          x.chunks() * Lanes.CHUNK,
          x,
          group,
          scratch);
      for (int c = 0; c < x.rows() - first; c++) {
        System.arraycopy(scratch.results, 4 * c, y, at + (first + c) * stride + o, 4);
      }
    }
  }
}
