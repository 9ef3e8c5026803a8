package dev.muninn.vector;

import static dev.muninn.kernel.Lanes.BYTES;
import static dev.muninn.kernel.Lanes.FLOATS;
import static dev.muninn.kernel.Lanes.INTS;
import static dev.muninn.kernel.Lanes.SWAP_1;
import static dev.muninn.kernel.Lanes.SWAP_2;
import static dev.muninn.kernel.Lanes.SWAP_4;
import static dev.muninn.kernel.Lanes.SWAP_8;
import static dev.muninn.kernel.Lanes.UPPER_1;
import static dev.muninn.kernel.Lanes.UPPER_2;
import static dev.muninn.kernel.Lanes.UPPER_4;
import static dev.muninn.kernel.Lanes.UPPER_8;
import static java.nio.ByteOrder.LITTLE_ENDIAN;
import static jdk.incubator.vector.VectorOperators.LSHL;

import dev.muninn.kernel.Lanes;
import dev.muninn.kernel.NativeMemory;
import dev.muninn.model.WeightMatrix;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
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

  private static final MemorySegment ZEROS = NativeMemory.allocateAutomatic(BYTES);

  // Of two BF16 numbers in an int.
  private static final int EXPONENT_BITS = 0x7F80_7F80;
  private static final int LEAST_EXPONENT_BITS = 0x0080_0080;
  private static final int SIGNS = 0x8000_8000;

  /**
   * A vector of {@link #EXPONENT_BITS} and one of zeros: read from between, it has some of both.
   */
  private static final int[] EXPONENTS = exponents();

  private WideProducts() {}

  /**
   * {@link MatrixKernels#multiply}, for rows packed in groups of 8.
   *
   * @param firstGroup the first group of rows whose results are wanted
   */
  static void multiply(
      WeightMatrix matrix,
      int from,
      int to,
      PackedRows x,
      int firstGroup,
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
      for (int group = firstGroup; group < x.groups(); group++) {
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
      MemorySegment.copy(ZEROS, 0, scratch.strip, end, BYTES - before);
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
    IntVector before = IntVector.fromArray(INTS, EXPONENTS, Lanes.COUNT - lanes);
    IntVector behind = before.lanewise(VectorOperators.XOR, EXPONENT_BITS);
    IntVector infinite = IntVector.zero(INTS);
    for (int i = 0; i < count; i++) {
      long at = offset + i * step;
      // A carry into the sign's place says that all bits were set.
      infinite =
          IntVector.fromMemorySegment(INTS, weights, at, LITTLE_ENDIAN)
              .and(before)
              .add(LEAST_EXPONENT_BITS)
              .or(infinite);
      infinite =
          IntVector.fromMemorySegment(INTS, weights, at + rowBytes, LITTLE_ENDIAN)
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
      tile(
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

  /**
   * The products of a row of each of 3 streams with the 8 rows of a group, in whole chunks of
   * 512-bit vectors: 24 sums, 3 weights and 3 pairs of them are what 32 registers hold.
   *
   * @param results gets those of row c with the first two streams at 2 c and 2 c + 1, with the
   *     third {@link #THIRD_STREAM} behind the first
   */
  private static void tile(
      MemorySegment weights,
      long offset,
      long stride,
      int steps,
      MemorySegment x,
      long from,
      float[] results,
      int to) {
    weights.get(ValueLayout.JAVA_BYTE, offset);
    FloatVector sum00 = FloatVector.zero(FLOATS);
    FloatVector sum01 = sum00;
    FloatVector sum02 = sum00;
    FloatVector sum10 = sum00;
    FloatVector sum11 = sum00;
    FloatVector sum12 = sum00;
    FloatVector sum20 = sum00;
    FloatVector sum21 = sum00;
    FloatVector sum22 = sum00;
    FloatVector sum30 = sum00;
    FloatVector sum31 = sum00;
    FloatVector sum32 = sum00;
    FloatVector sum40 = sum00;
    FloatVector sum41 = sum00;
    FloatVector sum42 = sum00;
    FloatVector sum50 = sum00;
    FloatVector sum51 = sum00;
    FloatVector sum52 = sum00;
    FloatVector sum60 = sum00;
    FloatVector sum61 = sum00;
    FloatVector sum62 = sum00;
    FloatVector sum70 = sum00;
    FloatVector sum71 = sum00;
    FloatVector sum72 = sum00;
    for (int step = 0; step < steps; step++) {
      long at = from + step * 16 * BYTES;
      long base = offset + step * BYTES;
      IntVector pair0 = IntVector.fromMemorySegment(INTS, weights, base, LITTLE_ENDIAN);
      IntVector pair1 = IntVector.fromMemorySegment(INTS, weights, base + stride, LITTLE_ENDIAN);
      IntVector pair2 =
          IntVector.fromMemorySegment(INTS, weights, base + 2 * stride, LITTLE_ENDIAN);
      FloatVector w0 = pair0.lanewise(LSHL, 16).reinterpretAsFloats();
      FloatVector w1 = pair1.lanewise(LSHL, 16).reinterpretAsFloats();
      FloatVector w2 = pair2.lanewise(LSHL, 16).reinterpretAsFloats();
      FloatVector column = FloatVector.fromMemorySegment(FLOATS, x, at, LITTLE_ENDIAN);
      sum00 = w0.fma(column, sum00);
      sum01 = w1.fma(column, sum01);
      sum02 = w2.fma(column, sum02);
      column = FloatVector.fromMemorySegment(FLOATS, x, at + BYTES, LITTLE_ENDIAN);
      sum10 = w0.fma(column, sum10);
      sum11 = w1.fma(column, sum11);
      sum12 = w2.fma(column, sum12);
      column = FloatVector.fromMemorySegment(FLOATS, x, at + 2 * BYTES, LITTLE_ENDIAN);
      sum20 = w0.fma(column, sum20);
      sum21 = w1.fma(column, sum21);
      sum22 = w2.fma(column, sum22);
      column = FloatVector.fromMemorySegment(FLOATS, x, at + 3 * BYTES, LITTLE_ENDIAN);
      sum30 = w0.fma(column, sum30);
      sum31 = w1.fma(column, sum31);
      sum32 = w2.fma(column, sum32);
      column = FloatVector.fromMemorySegment(FLOATS, x, at + 4 * BYTES, LITTLE_ENDIAN);
      sum40 = w0.fma(column, sum40);
      sum41 = w1.fma(column, sum41);
      sum42 = w2.fma(column, sum42);
      column = FloatVector.fromMemorySegment(FLOATS, x, at + 5 * BYTES, LITTLE_ENDIAN);
      sum50 = w0.fma(column, sum50);
      sum51 = w1.fma(column, sum51);
      sum52 = w2.fma(column, sum52);
      column = FloatVector.fromMemorySegment(FLOATS, x, at + 6 * BYTES, LITTLE_ENDIAN);
      sum60 = w0.fma(column, sum60);
      sum61 = w1.fma(column, sum61);
      sum62 = w2.fma(column, sum62);
      column = FloatVector.fromMemorySegment(FLOATS, x, at + 7 * BYTES, LITTLE_ENDIAN);
      sum70 = w0.fma(column, sum70);
      sum71 = w1.fma(column, sum71);
      sum72 = w2.fma(column, sum72);
      w0 = pair0.and(0xFFFF0000).reinterpretAsFloats();
      w1 = pair1.and(0xFFFF0000).reinterpretAsFloats();
      w2 = pair2.and(0xFFFF0000).reinterpretAsFloats();
      column = FloatVector.fromMemorySegment(FLOATS, x, at + 8 * BYTES, LITTLE_ENDIAN);
      sum00 = w0.fma(column, sum00);
      sum01 = w1.fma(column, sum01);
      sum02 = w2.fma(column, sum02);
      column = FloatVector.fromMemorySegment(FLOATS, x, at + 9 * BYTES, LITTLE_ENDIAN);
      sum10 = w0.fma(column, sum10);
      sum11 = w1.fma(column, sum11);
      sum12 = w2.fma(column, sum12);
      column = FloatVector.fromMemorySegment(FLOATS, x, at + 10 * BYTES, LITTLE_ENDIAN);
      sum20 = w0.fma(column, sum20);
      sum21 = w1.fma(column, sum21);
      sum22 = w2.fma(column, sum22);
      column = FloatVector.fromMemorySegment(FLOATS, x, at + 11 * BYTES, LITTLE_ENDIAN);
      sum30 = w0.fma(column, sum30);
      sum31 = w1.fma(column, sum31);
      sum32 = w2.fma(column, sum32);
      column = FloatVector.fromMemorySegment(FLOATS, x, at + 12 * BYTES, LITTLE_ENDIAN);
      sum40 = w0.fma(column, sum40);
      sum41 = w1.fma(column, sum41);
      sum42 = w2.fma(column, sum42);
      column = FloatVector.fromMemorySegment(FLOATS, x, at + 13 * BYTES, LITTLE_ENDIAN);
      sum50 = w0.fma(column, sum50);
      sum51 = w1.fma(column, sum51);
      sum52 = w2.fma(column, sum52);
      column = FloatVector.fromMemorySegment(FLOATS, x, at + 14 * BYTES, LITTLE_ENDIAN);
      sum60 = w0.fma(column, sum60);
      sum61 = w1.fma(column, sum61);
      sum62 = w2.fma(column, sum62);
      column = FloatVector.fromMemorySegment(FLOATS, x, at + 15 * BYTES, LITTLE_ENDIAN);
      sum70 = w0.fma(column, sum70);
      sum71 = w1.fma(column, sum71);
      sum72 = w2.fma(column, sum72);
    }
    sum00 = sum00.blend(sum40, UPPER_8).add(sum40.blend(sum00, UPPER_8).rearrange(SWAP_8));
    sum01 = sum01.blend(sum41, UPPER_8).add(sum41.blend(sum01, UPPER_8).rearrange(SWAP_8));
    sum02 = sum02.blend(sum42, UPPER_8).add(sum42.blend(sum02, UPPER_8).rearrange(SWAP_8));
    sum10 = sum10.blend(sum50, UPPER_8).add(sum50.blend(sum10, UPPER_8).rearrange(SWAP_8));
    sum11 = sum11.blend(sum51, UPPER_8).add(sum51.blend(sum11, UPPER_8).rearrange(SWAP_8));
    sum12 = sum12.blend(sum52, UPPER_8).add(sum52.blend(sum12, UPPER_8).rearrange(SWAP_8));
    sum20 = sum20.blend(sum60, UPPER_8).add(sum60.blend(sum20, UPPER_8).rearrange(SWAP_8));
    sum21 = sum21.blend(sum61, UPPER_8).add(sum61.blend(sum21, UPPER_8).rearrange(SWAP_8));
    sum22 = sum22.blend(sum62, UPPER_8).add(sum62.blend(sum22, UPPER_8).rearrange(SWAP_8));
    sum30 = sum30.blend(sum70, UPPER_8).add(sum70.blend(sum30, UPPER_8).rearrange(SWAP_8));
    sum31 = sum31.blend(sum71, UPPER_8).add(sum71.blend(sum31, UPPER_8).rearrange(SWAP_8));
    sum32 = sum32.blend(sum72, UPPER_8).add(sum72.blend(sum32, UPPER_8).rearrange(SWAP_8));
    sum00 = sum00.blend(sum20, UPPER_4).add(sum20.blend(sum00, UPPER_4).rearrange(SWAP_4));
    sum01 = sum01.blend(sum21, UPPER_4).add(sum21.blend(sum01, UPPER_4).rearrange(SWAP_4));
    sum02 = sum02.blend(sum22, UPPER_4).add(sum22.blend(sum02, UPPER_4).rearrange(SWAP_4));
    sum10 = sum10.blend(sum30, UPPER_4).add(sum30.blend(sum10, UPPER_4).rearrange(SWAP_4));
    sum11 = sum11.blend(sum31, UPPER_4).add(sum31.blend(sum11, UPPER_4).rearrange(SWAP_4));
    sum12 = sum12.blend(sum32, UPPER_4).add(sum32.blend(sum12, UPPER_4).rearrange(SWAP_4));
    sum00 = sum00.blend(sum10, UPPER_2).add(sum10.blend(sum00, UPPER_2).rearrange(SWAP_2));
    sum01 = sum01.blend(sum11, UPPER_2).add(sum11.blend(sum01, UPPER_2).rearrange(SWAP_2));
    sum02 = sum02.blend(sum12, UPPER_2).add(sum12.blend(sum02, UPPER_2).rearrange(SWAP_2));
    sum00 = sum00.blend(sum01, UPPER_1).add(sum01.blend(sum00, UPPER_1).rearrange(SWAP_1));
    sum00.add(0).intoArray(results, to);
    sum02.add(sum02.rearrange(SWAP_1)).add(0).intoArray(results, to + THIRD_STREAM);
  }
}
