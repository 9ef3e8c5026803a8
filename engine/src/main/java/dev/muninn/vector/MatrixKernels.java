package dev.muninn.vector;

import static java.nio.ByteOrder.LITTLE_ENDIAN;

import dev.muninn.model.Matrix;
import dev.muninn.weights.DType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/**
 * Matrix times rows, {@code y[c][o] = sum over k of w[o][k] x[c][k]}, on weights in place.
 *
 * <p>One row is computed 4 weight rows at a time, which is bound by how fast memory is read; more
 * rows in tiles of 4 by 4, which is bound by the multipliers. The 4 weight rows lie a quarter of
 * the outputs apart, so that memory is read in 4 long streams: rows that share a page confuse the
 * hardware's prefetching and halve the speed. More than 4 rows and BF16 on 512-bit vectors: tiles
 * of 3 by 8, for which a weight is decoded half as often and comes from memory while the
 * multipliers are busy, not in turn with them. In each way a result has one vector of partial sums,
 * to which chunks are added in ascending order, first vector before second, and which {@link
 * Lanes#reduce} folds. So a result is the same to the last bit whatever rows stand beside it,
 * whichever kernel computes it and on however many threads; {@link ScalarKernels#dot} says the same
 * without vectors.
 *
 * <p>F16 is first widened, 16 rows at a time, into a scratch strip of floats.
 *
 * <p>The kernels are written out lane operation by lane operation: a helper that takes or returns a
 * vector is not always inlined into a body of this size, and then every vector is boxed.
 *
 * <p>Each kernel begins by reading one byte of its weights. The value is not used: HotSpot turns a
 * fault of the machine (SIGBUS, after the mapped file has shrunk) into an {@link InternalError}
 * only in compiled methods that read a segment by {@code get}. Vector loads alone end the process.
 */
final class MatrixKernels {
  /** Outputs that are computed together; threads share the outputs out in these units. */
  static final int UNIT = 16;

  /**
   * Rows, of each of 4 streams, of a strip of weights that stays in the second-level cache while
   * all columns pass by.
   */
  private static final int STRIP = 12;

  /**
   * Rows, of each of 3 streams, of a strip for {@link #tileWide}: as many as a vector has lanes, so
   * that whole vectors of results are brought to where they belong.
   */
  private static final int WIDE_STRIP = Lanes.SUMS;

  /** Where the results for the third stream begin, behind those for the other two. */
  private static final int THIRD_STREAM = WIDE_STRIP * UNIT;

  /** What the hardware's prefetching does not look beyond. */
  private static final long PAGE_BYTES = 4096;

  /** Outputs for each that is computed twice so that streams are whole pages apart. */
  private static final int LEAST_PER_REPEATED = 32;

  /** Outputs of which each third has the 4 that a tile takes. */
  private static final int LEAST_WIDE = 12;

  private static final MemorySegment ZEROS = NativeMemory.allocateAutomatic(Lanes.BYTES);

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
      Matrix matrix,
      int from,
      int to,
      PackedRows x,
      float[] y,
      int at,
      int stride,
      Scratch scratch) {
    if (x.rows() == 1) {
      multiplyRow(matrix, from, to, x, y, at, scratch);
    } else if (x.wide()) {
      multiplyWide(matrix, from, to, x, y, at, stride, scratch);
    } else {
      multiplyTiles(matrix, from, to, x, y, at, stride, scratch);
    }
  }

  private static void multiplyRow(
      Matrix matrix, int from, int to, PackedRows x, float[] y, int at, Scratch scratch) {
    int columns = matrix.columns();
    long rowStride = matrix.rowStride();
    int quarter = quarter(from, to);
    long streamBytes = quarter * rowStride;
    for (int o = 0; o < quarter; o += 4) {
      long offset = (from + o) * rowStride;
      if (matrix.dtype() == DType.F16) {
        widen(matrix.data(), offset, rowStride, streamBytes, columns, scratch);
        dot16(
            DType.F32,
            scratch.strip,
            0,
            4L * columns,
            16L * columns,
            columns,
            x.data,
            x.paired(),
            scratch.partials);
      } else {
        dot16(
            matrix.dtype(),
            matrix.data(),
            offset,
            rowStride,
            streamBytes,
            columns,
            x.data,
            x.paired(),
            scratch.partials);
      }
      for (int stream = 0; stream < 4; stream++) {
        System.arraycopy(scratch.partials, 4 * stream, y, at + from + o + stream * quarter, 4);
      }
    }
    multiplyByScalars(matrix, from + 4 * quarter, to, x, y, at, 0, scratch);
  }

  /** Rows of each of the four streams that a range of outputs is read in. */
  private static int quarter(int from, int to) {
    return (to - from) / UNIT * 4;
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
    int steps = columns / Lanes.CHUNK;
    for (int i = 0; i < 4; i++) {
      long row = offset + i * rowStride;
      if (dtype == DType.BF16) {
        rows4Bf16(weights, row, streamBytes, steps, x, 0, partials, i * Lanes.COUNT);
      } else {
        rows4F32(weights, row, streamBytes, steps, x, 0, partials, i * Lanes.COUNT);
      }
    }
    int tail = columns % Lanes.CHUNK;
    if (tail > 0) {
      int first = columns - tail;
      for (int sum = 0; sum < UNIT; sum++) {
        long row = offset + sum % 4 * rowStride + sum / 4 * streamBytes;
        addTail(
            dtype, weights, row, first, tail, x, 4L * first, paired, partials, sum * Lanes.COUNT);
      }
    }
    Lanes.reduce(partials);
  }

  private static void multiplyTiles(
      Matrix matrix,
      int from,
      int to,
      PackedRows x,
      float[] y,
      int at,
      int stride,
      Scratch scratch) {
    int rows = x.rows();
    int columns = matrix.columns();
    long rowStride = matrix.rowStride();
    int quarter = quarter(from, to);
    long streamBytes = quarter * rowStride;
    boolean widened = matrix.dtype() == DType.F16;
    int height = widened ? 4 : STRIP;
    for (int strip = 0; strip < quarter; strip += height) {
      int end = Math.min(quarter, strip + height);
      if (widened) {
        widen(matrix.data(), (from + strip) * rowStride, rowStride, streamBytes, columns, scratch);
      }
      for (int group = 0; group < x.groups(); group++) {
        for (int o = strip; o < end; o++) {
          if (widened) {
            tile(
                DType.F32,
                scratch.strip,
                (o - strip) * 4L * columns,
                16L * columns,
                columns,
                x,
                group,
                scratch,
                (o - strip) * UNIT);
          } else {
            tile(
                matrix.dtype(),
                matrix.data(),
                (from + o) * rowStride,
                streamBytes,
                columns,
                x,
                group,
                scratch,
                (o - strip) * UNIT);
          }
        }
        int first = PackedRows.TILE * group;
        for (int c = 0; c < Math.min(PackedRows.TILE, rows - first); c++) {
          int target = at + (first + c) * stride + from + strip;
          for (int stream = 0; stream < 4; stream++) {
            copyColumn(scratch.results, 4 * c + stream, y, target + stream * quarter, end - strip);
          }
        }
      }
    }
    multiplyByScalars(matrix, from + 4 * quarter, to, x, y, at, stride, scratch);
  }

  /** Brings the results of a strip for one of the streams and one row together. */
  private static void copyColumn(float[] results, int index, float[] y, int target, int count) {
    for (int i = 0; i < count; i++) {
      y[target + i] = results[i * UNIT + index];
    }
  }

  private static void multiplyWide(
      Matrix matrix,
      int from,
      int to,
      PackedRows x,
      float[] y,
      int at,
      int stride,
      Scratch scratch) {
    int outputs = to - from;
    if (outputs < LEAST_WIDE) {
      multiplyByScalars(matrix, from, to, x, y, at, stride, scratch);
      return;
    }
    // The streams overlap by some rows, so that they are equally long and end with the range: what
    // is computed twice is the same both times.
    int distance = wideDistance(outputs, matrix.rowStride());
    int height = outputs - 2 * distance;
    for (int begin = 0; begin < height; begin += WIDE_STRIP) {
      int end = Math.min(height, begin + WIDE_STRIP);
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
   * line, which has the end of what lies before them, and end with one. Before the first row and
   * behind the last there may be nothing: these rows are copied, with zeros beside them.
   *
   * @param distance rows from one to the next
   */
  private static void locate(
      Matrix matrix, int first, int count, int distance, PackedRows x, Scratch scratch) {
    long rowStride = matrix.rowStride();
    long before = (long) x.shift() * Short.BYTES;
    if (before == 0 || first > 0 && first + (count - 1) * distance < matrix.rows() - 1) {
      scratch.weights = matrix.data();
      scratch.offset = first * rowStride - before;
      scratch.rowStep = distance * rowStride;
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

  /** The products of a group of 8 rows with a strip of 3 streams. */
  private static void wideGroup(
      Matrix matrix,
      int from,
      int begin,
      int end,
      int distance,
      PackedRows x,
      int group,
      float[] y,
      int at,
      int stride,
      Scratch scratch) {
    for (int o = begin; o < end; o++) {
      locate(matrix, from + o, 3, distance, x, scratch);
      tileWide(
          scratch.weights,
          scratch.offset,
          scratch.rowStep,
          x.chunks(),
          x.data,
          x.groupOffset(group),
          scratch.results,
          (o - begin) * UNIT);
    }
    Lanes.transpose(scratch.results, 0);
    Lanes.transpose(scratch.results, THIRD_STREAM);
    int first = PackedRows.WIDE_TILE * group;
    for (int c = 0; c < Math.min(PackedRows.WIDE_TILE, x.rows() - first); c++) {
      int target = at + (first + c) * stride + from + begin;
      for (int stream = 0; stream < 3; stream++) {
        int index = stream < 2 ? (2 * c + stream) * UNIT : THIRD_STREAM + 2 * c * UNIT;
        Lanes.copy(scratch.results, index, y, target + stream * distance, end - begin);
      }
    }
  }

  /** The products of the 4 rows that are left with weights that the cache still has. */
  private static void lastGroup(
      Matrix matrix,
      int from,
      int to,
      PackedRows x,
      int group,
      float[] y,
      int at,
      int stride,
      Scratch scratch) {
    int first = PackedRows.WIDE_TILE * group;
    for (int next = from; next < to; next += 4) {
      int o = Math.min(next, to - 4);
      locate(matrix, o, 4, 1, x, scratch);
      tile(
          matrix.dtype(),
          scratch.weights,
          scratch.offset,
          scratch.rowStep,
          x.chunks() * Lanes.CHUNK,
          x,
          group,
          scratch,
          0);
      for (int c = 0; c < x.rows() - first; c++) {
        System.arraycopy(scratch.results, 4 * c, y, at + (first + c) * stride + o, 4);
      }
    }
  }

  /**
   * Outputs too few for a tile. {@link ScalarKernels#multiply} computes the same, but allocates
   * what it works in, as a decode step must not.
   */
  private static void multiplyByScalars(
      Matrix matrix,
      int from,
      int to,
      PackedRows x,
      float[] y,
      int at,
      int stride,
      Scratch scratch) {
    for (int o = from; o < to; o++) {
      for (int row = 0; row < x.rows(); row++) {
        y[at + row * stride + o] = ScalarKernels.dot(matrix, o, x, row, scratch.partials);
      }
    }
  }

  /**
   * The products of a row of each of 4 streams with the 4 rows of a group.
   *
   * @param scratch gets [column * 4 + stream] in its results
   * @param target where in them
   */
  private static void tile(
      DType dtype,
      MemorySegment weights,
      long offset,
      long streamBytes,
      int columns,
      PackedRows x,
      int group,
      Scratch scratch,
      int target) {
    int steps = columns / Lanes.CHUNK;
    int tail = columns % Lanes.CHUNK;
    boolean whole = Lanes.foldInRegisters(columns);
    float[] partials = scratch.partials;
    float[] out = whole ? scratch.results : partials;
    int to = whole ? target : 0;
    long first = x.groupOffset(group);
    if (dtype == DType.BF16) {
      tileBf16(weights, offset, streamBytes, steps, x.data, first, whole, out, to);
    } else {
      tileF32(weights, offset, streamBytes, steps, x.data, first, whole, out, to);
    }
    if (whole) {
      return;
    }
    if (tail > 0) {
      for (int sum = 0; sum < UNIT; sum++) {
        addTail(
            dtype,
            weights,
            offset + sum % 4 * streamBytes,
            columns - tail,
            tail,
            x.data,
            x.tailOffset(4 * group + sum / 4),
            x.paired(),
            partials,
            sum * Lanes.COUNT);
      }
    }
    Lanes.reduce(partials);
    System.arraycopy(partials, 0, scratch.results, target, UNIT);
  }

  /** Adds the columns that fill no chunk to the lanes they would have had in one. */
  private static void addTail(
      DType dtype,
      MemorySegment weights,
      long rowOffset,
      int firstColumn,
      int count,
      MemorySegment x,
      long from,
      boolean paired,
      float[] partials,
      int at) {
    for (int i = 0; i < count; i++) {
      int lane = at + PackedRows.tailLane(i, paired);
      float weight = ScalarKernels.weight(dtype, weights, rowOffset, firstColumn + i);
      partials[lane] = Math.fma(weight, ScalarKernels.f32(x, from + 4L * i), partials[lane]);
    }
  }

  private static void rows4Bf16(
      MemorySegment weights,
      long offset,
      long stride,
      int steps,
      MemorySegment x,
      long from,
      float[] out,
      int to) {
    weights.get(ValueLayout.JAVA_BYTE, offset);
    FloatVector sum0 = FloatVector.zero(Lanes.FLOATS);
    FloatVector sum1 = sum0;
    FloatVector sum2 = sum0;
    FloatVector sum3 = sum0;
    int step = 0;
    for (; step + 2 <= steps; step += 2) {
      long at = from + step * 2 * Lanes.BYTES;
      long base = offset + step * Lanes.BYTES;
      FloatVector x0 = FloatVector.fromMemorySegment(Lanes.FLOATS, x, at, LITTLE_ENDIAN);
      FloatVector x1 =
          FloatVector.fromMemorySegment(Lanes.FLOATS, x, at + Lanes.BYTES, LITTLE_ENDIAN);
      IntVector w = IntVector.fromMemorySegment(Lanes.INTS, weights, base, LITTLE_ENDIAN);
      sum0 =
          w.and(0xFFFF0000)
              .reinterpretAsFloats()
              .fma(x1, w.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().fma(x0, sum0));
      w = IntVector.fromMemorySegment(Lanes.INTS, weights, base + stride, LITTLE_ENDIAN);
      sum1 =
          w.and(0xFFFF0000)
              .reinterpretAsFloats()
              .fma(x1, w.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().fma(x0, sum1));
      w = IntVector.fromMemorySegment(Lanes.INTS, weights, base + 2 * stride, LITTLE_ENDIAN);
      sum2 =
          w.and(0xFFFF0000)
              .reinterpretAsFloats()
              .fma(x1, w.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().fma(x0, sum2));
      w = IntVector.fromMemorySegment(Lanes.INTS, weights, base + 3 * stride, LITTLE_ENDIAN);
      sum3 =
          w.and(0xFFFF0000)
              .reinterpretAsFloats()
              .fma(x1, w.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().fma(x0, sum3));
      FloatVector x2 =
          FloatVector.fromMemorySegment(Lanes.FLOATS, x, at + 2 * Lanes.BYTES, LITTLE_ENDIAN);
      FloatVector x3 =
          FloatVector.fromMemorySegment(Lanes.FLOATS, x, at + 3 * Lanes.BYTES, LITTLE_ENDIAN);
      w = IntVector.fromMemorySegment(Lanes.INTS, weights, base + Lanes.BYTES, LITTLE_ENDIAN);
      sum0 =
          w.and(0xFFFF0000)
              .reinterpretAsFloats()
              .fma(x3, w.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().fma(x2, sum0));
      w =
          IntVector.fromMemorySegment(
              Lanes.INTS, weights, base + stride + Lanes.BYTES, LITTLE_ENDIAN);
      sum1 =
          w.and(0xFFFF0000)
              .reinterpretAsFloats()
              .fma(x3, w.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().fma(x2, sum1));
      w =
          IntVector.fromMemorySegment(
              Lanes.INTS, weights, base + 2 * stride + Lanes.BYTES, LITTLE_ENDIAN);
      sum2 =
          w.and(0xFFFF0000)
              .reinterpretAsFloats()
              .fma(x3, w.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().fma(x2, sum2));
      w =
          IntVector.fromMemorySegment(
              Lanes.INTS, weights, base + 3 * stride + Lanes.BYTES, LITTLE_ENDIAN);
      sum3 =
          w.and(0xFFFF0000)
              .reinterpretAsFloats()
              .fma(x3, w.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().fma(x2, sum3));
    }
    if (step < steps) {
      long at = from + step * 2 * Lanes.BYTES;
      long base = offset + step * Lanes.BYTES;
      FloatVector x0 = FloatVector.fromMemorySegment(Lanes.FLOATS, x, at, LITTLE_ENDIAN);
      FloatVector x1 =
          FloatVector.fromMemorySegment(Lanes.FLOATS, x, at + Lanes.BYTES, LITTLE_ENDIAN);
      IntVector w = IntVector.fromMemorySegment(Lanes.INTS, weights, base, LITTLE_ENDIAN);
      sum0 =
          w.and(0xFFFF0000)
              .reinterpretAsFloats()
              .fma(x1, w.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().fma(x0, sum0));
      w = IntVector.fromMemorySegment(Lanes.INTS, weights, base + stride, LITTLE_ENDIAN);
      sum1 =
          w.and(0xFFFF0000)
              .reinterpretAsFloats()
              .fma(x1, w.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().fma(x0, sum1));
      w = IntVector.fromMemorySegment(Lanes.INTS, weights, base + 2 * stride, LITTLE_ENDIAN);
      sum2 =
          w.and(0xFFFF0000)
              .reinterpretAsFloats()
              .fma(x1, w.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().fma(x0, sum2));
      w = IntVector.fromMemorySegment(Lanes.INTS, weights, base + 3 * stride, LITTLE_ENDIAN);
      sum3 =
          w.and(0xFFFF0000)
              .reinterpretAsFloats()
              .fma(x1, w.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().fma(x0, sum3));
    }
    sum0.intoArray(out, to);
    sum1.intoArray(out, to + 4 * Lanes.COUNT);
    sum2.intoArray(out, to + 8 * Lanes.COUNT);
    sum3.intoArray(out, to + 12 * Lanes.COUNT);
  }

  private static void rows4F32(
      MemorySegment weights,
      long offset,
      long stride,
      int steps,
      MemorySegment x,
      long from,
      float[] out,
      int to) {
    weights.get(ValueLayout.JAVA_BYTE, offset);
    FloatVector sum0 = FloatVector.zero(Lanes.FLOATS);
    FloatVector sum1 = sum0;
    FloatVector sum2 = sum0;
    FloatVector sum3 = sum0;
    int step = 0;
    for (; step + 2 <= steps; step += 2) {
      long at = from + step * 2 * Lanes.BYTES;
      long base = offset + step * 2 * Lanes.BYTES;
      FloatVector x0 = FloatVector.fromMemorySegment(Lanes.FLOATS, x, at, LITTLE_ENDIAN);
      FloatVector x1 =
          FloatVector.fromMemorySegment(Lanes.FLOATS, x, at + Lanes.BYTES, LITTLE_ENDIAN);
      sum0 =
          FloatVector.fromMemorySegment(Lanes.FLOATS, weights, base, LITTLE_ENDIAN).fma(x0, sum0);
      sum0 =
          FloatVector.fromMemorySegment(Lanes.FLOATS, weights, base + Lanes.BYTES, LITTLE_ENDIAN)
              .fma(x1, sum0);
      sum1 =
          FloatVector.fromMemorySegment(Lanes.FLOATS, weights, base + stride, LITTLE_ENDIAN)
              .fma(x0, sum1);
      sum1 =
          FloatVector.fromMemorySegment(
                  Lanes.FLOATS, weights, base + stride + Lanes.BYTES, LITTLE_ENDIAN)
              .fma(x1, sum1);
      sum2 =
          FloatVector.fromMemorySegment(Lanes.FLOATS, weights, base + 2 * stride, LITTLE_ENDIAN)
              .fma(x0, sum2);
      sum2 =
          FloatVector.fromMemorySegment(
                  Lanes.FLOATS, weights, base + 2 * stride + Lanes.BYTES, LITTLE_ENDIAN)
              .fma(x1, sum2);
      sum3 =
          FloatVector.fromMemorySegment(Lanes.FLOATS, weights, base + 3 * stride, LITTLE_ENDIAN)
              .fma(x0, sum3);
      sum3 =
          FloatVector.fromMemorySegment(
                  Lanes.FLOATS, weights, base + 3 * stride + Lanes.BYTES, LITTLE_ENDIAN)
              .fma(x1, sum3);
      FloatVector x2 =
          FloatVector.fromMemorySegment(Lanes.FLOATS, x, at + 2 * Lanes.BYTES, LITTLE_ENDIAN);
      FloatVector x3 =
          FloatVector.fromMemorySegment(Lanes.FLOATS, x, at + 3 * Lanes.BYTES, LITTLE_ENDIAN);
      sum0 =
          FloatVector.fromMemorySegment(
                  Lanes.FLOATS, weights, base + 2 * Lanes.BYTES, LITTLE_ENDIAN)
              .fma(x2, sum0);
      sum0 =
          FloatVector.fromMemorySegment(
                  Lanes.FLOATS, weights, base + 3 * Lanes.BYTES, LITTLE_ENDIAN)
              .fma(x3, sum0);
      sum1 =
          FloatVector.fromMemorySegment(
                  Lanes.FLOATS, weights, base + stride + 2 * Lanes.BYTES, LITTLE_ENDIAN)
              .fma(x2, sum1);
      sum1 =
          FloatVector.fromMemorySegment(
                  Lanes.FLOATS, weights, base + stride + 3 * Lanes.BYTES, LITTLE_ENDIAN)
              .fma(x3, sum1);
      sum2 =
          FloatVector.fromMemorySegment(
                  Lanes.FLOATS, weights, base + 2 * stride + 2 * Lanes.BYTES, LITTLE_ENDIAN)
              .fma(x2, sum2);
      sum2 =
          FloatVector.fromMemorySegment(
                  Lanes.FLOATS, weights, base + 2 * stride + 3 * Lanes.BYTES, LITTLE_ENDIAN)
              .fma(x3, sum2);
      sum3 =
          FloatVector.fromMemorySegment(
                  Lanes.FLOATS, weights, base + 3 * stride + 2 * Lanes.BYTES, LITTLE_ENDIAN)
              .fma(x2, sum3);
      sum3 =
          FloatVector.fromMemorySegment(
                  Lanes.FLOATS, weights, base + 3 * stride + 3 * Lanes.BYTES, LITTLE_ENDIAN)
              .fma(x3, sum3);
    }
    if (step < steps) {
      long at = from + step * 2 * Lanes.BYTES;
      long base = offset + step * 2 * Lanes.BYTES;
      FloatVector x0 = FloatVector.fromMemorySegment(Lanes.FLOATS, x, at, LITTLE_ENDIAN);
      FloatVector x1 =
          FloatVector.fromMemorySegment(Lanes.FLOATS, x, at + Lanes.BYTES, LITTLE_ENDIAN);
      sum0 =
          FloatVector.fromMemorySegment(Lanes.FLOATS, weights, base, LITTLE_ENDIAN).fma(x0, sum0);
      sum0 =
          FloatVector.fromMemorySegment(Lanes.FLOATS, weights, base + Lanes.BYTES, LITTLE_ENDIAN)
              .fma(x1, sum0);
      sum1 =
          FloatVector.fromMemorySegment(Lanes.FLOATS, weights, base + stride, LITTLE_ENDIAN)
              .fma(x0, sum1);
      sum1 =
          FloatVector.fromMemorySegment(
                  Lanes.FLOATS, weights, base + stride + Lanes.BYTES, LITTLE_ENDIAN)
              .fma(x1, sum1);
      sum2 =
          FloatVector.fromMemorySegment(Lanes.FLOATS, weights, base + 2 * stride, LITTLE_ENDIAN)
              .fma(x0, sum2);
      sum2 =
          FloatVector.fromMemorySegment(
                  Lanes.FLOATS, weights, base + 2 * stride + Lanes.BYTES, LITTLE_ENDIAN)
              .fma(x1, sum2);
      sum3 =
          FloatVector.fromMemorySegment(Lanes.FLOATS, weights, base + 3 * stride, LITTLE_ENDIAN)
              .fma(x0, sum3);
      sum3 =
          FloatVector.fromMemorySegment(
                  Lanes.FLOATS, weights, base + 3 * stride + Lanes.BYTES, LITTLE_ENDIAN)
              .fma(x1, sum3);
    }
    sum0.intoArray(out, to);
    sum1.intoArray(out, to + 4 * Lanes.COUNT);
    sum2.intoArray(out, to + 8 * Lanes.COUNT);
    sum3.intoArray(out, to + 12 * Lanes.COUNT);
  }

  /**
   * The partial sums of a tile, or where there are as many lanes as sums and the columns are whole
   * chunks, the sums themselves: {@link Lanes#reduce} in registers, which costs next to nothing.
   */
  private static void tileBf16(
      MemorySegment weights,
      long offset,
      long stride,
      int steps,
      MemorySegment x,
      long from,
      boolean whole,
      float[] out,
      int to) {
    weights.get(ValueLayout.JAVA_BYTE, offset);
    FloatVector sum00 = FloatVector.zero(Lanes.FLOATS);
    FloatVector sum01 = sum00;
    FloatVector sum02 = sum00;
    FloatVector sum03 = sum00;
    FloatVector sum10 = sum00;
    FloatVector sum11 = sum00;
    FloatVector sum12 = sum00;
    FloatVector sum13 = sum00;
    FloatVector sum20 = sum00;
    FloatVector sum21 = sum00;
    FloatVector sum22 = sum00;
    FloatVector sum23 = sum00;
    FloatVector sum30 = sum00;
    FloatVector sum31 = sum00;
    FloatVector sum32 = sum00;
    FloatVector sum33 = sum00;
    for (int step = 0; step < steps; step++) {
      long at = from + step * 8 * Lanes.BYTES;
      long base = offset + step * Lanes.BYTES;
      IntVector pair0 = IntVector.fromMemorySegment(Lanes.INTS, weights, base, LITTLE_ENDIAN);
      IntVector pair1 =
          IntVector.fromMemorySegment(Lanes.INTS, weights, base + stride, LITTLE_ENDIAN);
      IntVector pair2 =
          IntVector.fromMemorySegment(Lanes.INTS, weights, base + 2 * stride, LITTLE_ENDIAN);
      IntVector pair3 =
          IntVector.fromMemorySegment(Lanes.INTS, weights, base + 3 * stride, LITTLE_ENDIAN);
      FloatVector w0 = pair0.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
      FloatVector w1 = pair1.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
      FloatVector w2 = pair2.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
      FloatVector w3 = pair3.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
      FloatVector column = FloatVector.fromMemorySegment(Lanes.FLOATS, x, at, LITTLE_ENDIAN);
      sum00 = w0.fma(column, sum00);
      sum01 = w1.fma(column, sum01);
      sum02 = w2.fma(column, sum02);
      sum03 = w3.fma(column, sum03);
      column = FloatVector.fromMemorySegment(Lanes.FLOATS, x, at + Lanes.BYTES, LITTLE_ENDIAN);
      sum10 = w0.fma(column, sum10);
      sum11 = w1.fma(column, sum11);
      sum12 = w2.fma(column, sum12);
      sum13 = w3.fma(column, sum13);
      column = FloatVector.fromMemorySegment(Lanes.FLOATS, x, at + 2 * Lanes.BYTES, LITTLE_ENDIAN);
      sum20 = w0.fma(column, sum20);
      sum21 = w1.fma(column, sum21);
      sum22 = w2.fma(column, sum22);
      sum23 = w3.fma(column, sum23);
      column = FloatVector.fromMemorySegment(Lanes.FLOATS, x, at + 3 * Lanes.BYTES, LITTLE_ENDIAN);
      sum30 = w0.fma(column, sum30);
      sum31 = w1.fma(column, sum31);
      sum32 = w2.fma(column, sum32);
      sum33 = w3.fma(column, sum33);
      w0 = pair0.and(0xFFFF0000).reinterpretAsFloats();
      w1 = pair1.and(0xFFFF0000).reinterpretAsFloats();
      w2 = pair2.and(0xFFFF0000).reinterpretAsFloats();
      w3 = pair3.and(0xFFFF0000).reinterpretAsFloats();
      column = FloatVector.fromMemorySegment(Lanes.FLOATS, x, at + 4 * Lanes.BYTES, LITTLE_ENDIAN);
      sum00 = w0.fma(column, sum00);
      sum01 = w1.fma(column, sum01);
      sum02 = w2.fma(column, sum02);
      sum03 = w3.fma(column, sum03);
      column = FloatVector.fromMemorySegment(Lanes.FLOATS, x, at + 5 * Lanes.BYTES, LITTLE_ENDIAN);
      sum10 = w0.fma(column, sum10);
      sum11 = w1.fma(column, sum11);
      sum12 = w2.fma(column, sum12);
      sum13 = w3.fma(column, sum13);
      column = FloatVector.fromMemorySegment(Lanes.FLOATS, x, at + 6 * Lanes.BYTES, LITTLE_ENDIAN);
      sum20 = w0.fma(column, sum20);
      sum21 = w1.fma(column, sum21);
      sum22 = w2.fma(column, sum22);
      sum23 = w3.fma(column, sum23);
      column = FloatVector.fromMemorySegment(Lanes.FLOATS, x, at + 7 * Lanes.BYTES, LITTLE_ENDIAN);
      sum30 = w0.fma(column, sum30);
      sum31 = w1.fma(column, sum31);
      sum32 = w2.fma(column, sum32);
      sum33 = w3.fma(column, sum33);
    }
    if (whole) {
      sum00 =
          sum00
              .blend(sum20, Lanes.UPPER_8)
              .add(sum20.blend(sum00, Lanes.UPPER_8).rearrange(Lanes.SWAP_8));
      sum01 =
          sum01
              .blend(sum21, Lanes.UPPER_8)
              .add(sum21.blend(sum01, Lanes.UPPER_8).rearrange(Lanes.SWAP_8));
      sum02 =
          sum02
              .blend(sum22, Lanes.UPPER_8)
              .add(sum22.blend(sum02, Lanes.UPPER_8).rearrange(Lanes.SWAP_8));
      sum03 =
          sum03
              .blend(sum23, Lanes.UPPER_8)
              .add(sum23.blend(sum03, Lanes.UPPER_8).rearrange(Lanes.SWAP_8));
      sum10 =
          sum10
              .blend(sum30, Lanes.UPPER_8)
              .add(sum30.blend(sum10, Lanes.UPPER_8).rearrange(Lanes.SWAP_8));
      sum11 =
          sum11
              .blend(sum31, Lanes.UPPER_8)
              .add(sum31.blend(sum11, Lanes.UPPER_8).rearrange(Lanes.SWAP_8));
      sum12 =
          sum12
              .blend(sum32, Lanes.UPPER_8)
              .add(sum32.blend(sum12, Lanes.UPPER_8).rearrange(Lanes.SWAP_8));
      sum13 =
          sum13
              .blend(sum33, Lanes.UPPER_8)
              .add(sum33.blend(sum13, Lanes.UPPER_8).rearrange(Lanes.SWAP_8));
      sum00 =
          sum00
              .blend(sum10, Lanes.UPPER_4)
              .add(sum10.blend(sum00, Lanes.UPPER_4).rearrange(Lanes.SWAP_4));
      sum01 =
          sum01
              .blend(sum11, Lanes.UPPER_4)
              .add(sum11.blend(sum01, Lanes.UPPER_4).rearrange(Lanes.SWAP_4));
      sum02 =
          sum02
              .blend(sum12, Lanes.UPPER_4)
              .add(sum12.blend(sum02, Lanes.UPPER_4).rearrange(Lanes.SWAP_4));
      sum03 =
          sum03
              .blend(sum13, Lanes.UPPER_4)
              .add(sum13.blend(sum03, Lanes.UPPER_4).rearrange(Lanes.SWAP_4));
      sum00 =
          sum00
              .blend(sum02, Lanes.UPPER_2)
              .add(sum02.blend(sum00, Lanes.UPPER_2).rearrange(Lanes.SWAP_2));
      sum01 =
          sum01
              .blend(sum03, Lanes.UPPER_2)
              .add(sum03.blend(sum01, Lanes.UPPER_2).rearrange(Lanes.SWAP_2));
      sum00
          .blend(sum01, Lanes.UPPER_1)
          .add(sum01.blend(sum00, Lanes.UPPER_1).rearrange(Lanes.SWAP_1))
          .intoArray(out, to);
      return;
    }
    sum00.intoArray(out, 0);
    sum01.intoArray(out, Lanes.COUNT);
    sum02.intoArray(out, 2 * Lanes.COUNT);
    sum03.intoArray(out, 3 * Lanes.COUNT);
    sum10.intoArray(out, 4 * Lanes.COUNT);
    sum11.intoArray(out, 5 * Lanes.COUNT);
    sum12.intoArray(out, 6 * Lanes.COUNT);
    sum13.intoArray(out, 7 * Lanes.COUNT);
    sum20.intoArray(out, 8 * Lanes.COUNT);
    sum21.intoArray(out, 9 * Lanes.COUNT);
    sum22.intoArray(out, 10 * Lanes.COUNT);
    sum23.intoArray(out, 11 * Lanes.COUNT);
    sum30.intoArray(out, 12 * Lanes.COUNT);
    sum31.intoArray(out, 13 * Lanes.COUNT);
    sum32.intoArray(out, 14 * Lanes.COUNT);
    sum33.intoArray(out, 15 * Lanes.COUNT);
  }

  /**
   * The products of a row of each of 3 streams with the 8 rows of a group, in whole chunks of
   * 512-bit vectors: 24 sums, 3 weights and 3 pairs of them are what 32 registers hold.
   *
   * @param results gets those of row c with the first two streams at 2 c and 2 c + 1, with the
   *     third at 16 + 2 c, {@link #WIDE_RESULTS} in all
   */
  private static void tileWide(
      MemorySegment weights,
      long offset,
      long stride,
      int steps,
      MemorySegment x,
      long from,
      float[] results,
      int to) {
    weights.get(ValueLayout.JAVA_BYTE, offset);
    FloatVector sum00 = FloatVector.zero(Lanes.FLOATS);
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
      long at = from + step * 16 * Lanes.BYTES;
      long base = offset + step * Lanes.BYTES;
      IntVector pair0 = IntVector.fromMemorySegment(Lanes.INTS, weights, base, LITTLE_ENDIAN);
      IntVector pair1 =
          IntVector.fromMemorySegment(Lanes.INTS, weights, base + stride, LITTLE_ENDIAN);
      IntVector pair2 =
          IntVector.fromMemorySegment(Lanes.INTS, weights, base + 2 * stride, LITTLE_ENDIAN);
      FloatVector w0 = pair0.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
      FloatVector w1 = pair1.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
      FloatVector w2 = pair2.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
      FloatVector column = FloatVector.fromMemorySegment(Lanes.FLOATS, x, at, LITTLE_ENDIAN);
      sum00 = w0.fma(column, sum00);
      sum01 = w1.fma(column, sum01);
      sum02 = w2.fma(column, sum02);
      column = FloatVector.fromMemorySegment(Lanes.FLOATS, x, at + Lanes.BYTES, LITTLE_ENDIAN);
      sum10 = w0.fma(column, sum10);
      sum11 = w1.fma(column, sum11);
      sum12 = w2.fma(column, sum12);
      column = FloatVector.fromMemorySegment(Lanes.FLOATS, x, at + 2 * Lanes.BYTES, LITTLE_ENDIAN);
      sum20 = w0.fma(column, sum20);
      sum21 = w1.fma(column, sum21);
      sum22 = w2.fma(column, sum22);
      column = FloatVector.fromMemorySegment(Lanes.FLOATS, x, at + 3 * Lanes.BYTES, LITTLE_ENDIAN);
      sum30 = w0.fma(column, sum30);
      sum31 = w1.fma(column, sum31);
      sum32 = w2.fma(column, sum32);
      column = FloatVector.fromMemorySegment(Lanes.FLOATS, x, at + 4 * Lanes.BYTES, LITTLE_ENDIAN);
      sum40 = w0.fma(column, sum40);
      sum41 = w1.fma(column, sum41);
      sum42 = w2.fma(column, sum42);
      column = FloatVector.fromMemorySegment(Lanes.FLOATS, x, at + 5 * Lanes.BYTES, LITTLE_ENDIAN);
      sum50 = w0.fma(column, sum50);
      sum51 = w1.fma(column, sum51);
      sum52 = w2.fma(column, sum52);
      column = FloatVector.fromMemorySegment(Lanes.FLOATS, x, at + 6 * Lanes.BYTES, LITTLE_ENDIAN);
      sum60 = w0.fma(column, sum60);
      sum61 = w1.fma(column, sum61);
      sum62 = w2.fma(column, sum62);
      column = FloatVector.fromMemorySegment(Lanes.FLOATS, x, at + 7 * Lanes.BYTES, LITTLE_ENDIAN);
      sum70 = w0.fma(column, sum70);
      sum71 = w1.fma(column, sum71);
      sum72 = w2.fma(column, sum72);
      w0 = pair0.and(0xFFFF0000).reinterpretAsFloats();
      w1 = pair1.and(0xFFFF0000).reinterpretAsFloats();
      w2 = pair2.and(0xFFFF0000).reinterpretAsFloats();
      column = FloatVector.fromMemorySegment(Lanes.FLOATS, x, at + 8 * Lanes.BYTES, LITTLE_ENDIAN);
      sum00 = w0.fma(column, sum00);
      sum01 = w1.fma(column, sum01);
      sum02 = w2.fma(column, sum02);
      column = FloatVector.fromMemorySegment(Lanes.FLOATS, x, at + 9 * Lanes.BYTES, LITTLE_ENDIAN);
      sum10 = w0.fma(column, sum10);
      sum11 = w1.fma(column, sum11);
      sum12 = w2.fma(column, sum12);
      column = FloatVector.fromMemorySegment(Lanes.FLOATS, x, at + 10 * Lanes.BYTES, LITTLE_ENDIAN);
      sum20 = w0.fma(column, sum20);
      sum21 = w1.fma(column, sum21);
      sum22 = w2.fma(column, sum22);
      column = FloatVector.fromMemorySegment(Lanes.FLOATS, x, at + 11 * Lanes.BYTES, LITTLE_ENDIAN);
      sum30 = w0.fma(column, sum30);
      sum31 = w1.fma(column, sum31);
      sum32 = w2.fma(column, sum32);
      column = FloatVector.fromMemorySegment(Lanes.FLOATS, x, at + 12 * Lanes.BYTES, LITTLE_ENDIAN);
      sum40 = w0.fma(column, sum40);
      sum41 = w1.fma(column, sum41);
      sum42 = w2.fma(column, sum42);
      column = FloatVector.fromMemorySegment(Lanes.FLOATS, x, at + 13 * Lanes.BYTES, LITTLE_ENDIAN);
      sum50 = w0.fma(column, sum50);
      sum51 = w1.fma(column, sum51);
      sum52 = w2.fma(column, sum52);
      column = FloatVector.fromMemorySegment(Lanes.FLOATS, x, at + 14 * Lanes.BYTES, LITTLE_ENDIAN);
      sum60 = w0.fma(column, sum60);
      sum61 = w1.fma(column, sum61);
      sum62 = w2.fma(column, sum62);
      column = FloatVector.fromMemorySegment(Lanes.FLOATS, x, at + 15 * Lanes.BYTES, LITTLE_ENDIAN);
      sum70 = w0.fma(column, sum70);
      sum71 = w1.fma(column, sum71);
      sum72 = w2.fma(column, sum72);
    }
    sum00 =
        sum00
            .blend(sum40, Lanes.UPPER_8)
            .add(sum40.blend(sum00, Lanes.UPPER_8).rearrange(Lanes.SWAP_8));
    sum01 =
        sum01
            .blend(sum41, Lanes.UPPER_8)
            .add(sum41.blend(sum01, Lanes.UPPER_8).rearrange(Lanes.SWAP_8));
    sum02 =
        sum02
            .blend(sum42, Lanes.UPPER_8)
            .add(sum42.blend(sum02, Lanes.UPPER_8).rearrange(Lanes.SWAP_8));
    sum10 =
        sum10
            .blend(sum50, Lanes.UPPER_8)
            .add(sum50.blend(sum10, Lanes.UPPER_8).rearrange(Lanes.SWAP_8));
    sum11 =
        sum11
            .blend(sum51, Lanes.UPPER_8)
            .add(sum51.blend(sum11, Lanes.UPPER_8).rearrange(Lanes.SWAP_8));
    sum12 =
        sum12
            .blend(sum52, Lanes.UPPER_8)
            .add(sum52.blend(sum12, Lanes.UPPER_8).rearrange(Lanes.SWAP_8));
    sum20 =
        sum20
            .blend(sum60, Lanes.UPPER_8)
            .add(sum60.blend(sum20, Lanes.UPPER_8).rearrange(Lanes.SWAP_8));
    sum21 =
        sum21
            .blend(sum61, Lanes.UPPER_8)
            .add(sum61.blend(sum21, Lanes.UPPER_8).rearrange(Lanes.SWAP_8));
    sum22 =
        sum22
            .blend(sum62, Lanes.UPPER_8)
            .add(sum62.blend(sum22, Lanes.UPPER_8).rearrange(Lanes.SWAP_8));
    sum30 =
        sum30
            .blend(sum70, Lanes.UPPER_8)
            .add(sum70.blend(sum30, Lanes.UPPER_8).rearrange(Lanes.SWAP_8));
    sum31 =
        sum31
            .blend(sum71, Lanes.UPPER_8)
            .add(sum71.blend(sum31, Lanes.UPPER_8).rearrange(Lanes.SWAP_8));
    sum32 =
        sum32
            .blend(sum72, Lanes.UPPER_8)
            .add(sum72.blend(sum32, Lanes.UPPER_8).rearrange(Lanes.SWAP_8));
    sum00 =
        sum00
            .blend(sum20, Lanes.UPPER_4)
            .add(sum20.blend(sum00, Lanes.UPPER_4).rearrange(Lanes.SWAP_4));
    sum01 =
        sum01
            .blend(sum21, Lanes.UPPER_4)
            .add(sum21.blend(sum01, Lanes.UPPER_4).rearrange(Lanes.SWAP_4));
    sum02 =
        sum02
            .blend(sum22, Lanes.UPPER_4)
            .add(sum22.blend(sum02, Lanes.UPPER_4).rearrange(Lanes.SWAP_4));
    sum10 =
        sum10
            .blend(sum30, Lanes.UPPER_4)
            .add(sum30.blend(sum10, Lanes.UPPER_4).rearrange(Lanes.SWAP_4));
    sum11 =
        sum11
            .blend(sum31, Lanes.UPPER_4)
            .add(sum31.blend(sum11, Lanes.UPPER_4).rearrange(Lanes.SWAP_4));
    sum12 =
        sum12
            .blend(sum32, Lanes.UPPER_4)
            .add(sum32.blend(sum12, Lanes.UPPER_4).rearrange(Lanes.SWAP_4));
    sum00 =
        sum00
            .blend(sum10, Lanes.UPPER_2)
            .add(sum10.blend(sum00, Lanes.UPPER_2).rearrange(Lanes.SWAP_2));
    sum01 =
        sum01
            .blend(sum11, Lanes.UPPER_2)
            .add(sum11.blend(sum01, Lanes.UPPER_2).rearrange(Lanes.SWAP_2));
    sum02 =
        sum02
            .blend(sum12, Lanes.UPPER_2)
            .add(sum12.blend(sum02, Lanes.UPPER_2).rearrange(Lanes.SWAP_2));
    sum00 =
        sum00
            .blend(sum01, Lanes.UPPER_1)
            .add(sum01.blend(sum00, Lanes.UPPER_1).rearrange(Lanes.SWAP_1));
    sum00.intoArray(results, to);
    sum02.add(sum02.rearrange(Lanes.SWAP_1)).intoArray(results, to + THIRD_STREAM);
  }

  private static void tileF32(
      MemorySegment weights,
      long offset,
      long stride,
      int steps,
      MemorySegment x,
      long from,
      boolean whole,
      float[] out,
      int to) {
    weights.get(ValueLayout.JAVA_BYTE, offset);
    FloatVector sum00 = FloatVector.zero(Lanes.FLOATS);
    FloatVector sum01 = sum00;
    FloatVector sum02 = sum00;
    FloatVector sum03 = sum00;
    FloatVector sum10 = sum00;
    FloatVector sum11 = sum00;
    FloatVector sum12 = sum00;
    FloatVector sum13 = sum00;
    FloatVector sum20 = sum00;
    FloatVector sum21 = sum00;
    FloatVector sum22 = sum00;
    FloatVector sum23 = sum00;
    FloatVector sum30 = sum00;
    FloatVector sum31 = sum00;
    FloatVector sum32 = sum00;
    FloatVector sum33 = sum00;
    for (int step = 0; step < steps; step++) {
      long at = from + step * 8 * Lanes.BYTES;
      long base = offset + step * 2 * Lanes.BYTES;
      FloatVector w0 = FloatVector.fromMemorySegment(Lanes.FLOATS, weights, base, LITTLE_ENDIAN);
      FloatVector w1 =
          FloatVector.fromMemorySegment(Lanes.FLOATS, weights, base + stride, LITTLE_ENDIAN);
      FloatVector w2 =
          FloatVector.fromMemorySegment(Lanes.FLOATS, weights, base + 2 * stride, LITTLE_ENDIAN);
      FloatVector w3 =
          FloatVector.fromMemorySegment(Lanes.FLOATS, weights, base + 3 * stride, LITTLE_ENDIAN);
      FloatVector column = FloatVector.fromMemorySegment(Lanes.FLOATS, x, at, LITTLE_ENDIAN);
      sum00 = w0.fma(column, sum00);
      sum01 = w1.fma(column, sum01);
      sum02 = w2.fma(column, sum02);
      sum03 = w3.fma(column, sum03);
      column = FloatVector.fromMemorySegment(Lanes.FLOATS, x, at + Lanes.BYTES, LITTLE_ENDIAN);
      sum10 = w0.fma(column, sum10);
      sum11 = w1.fma(column, sum11);
      sum12 = w2.fma(column, sum12);
      sum13 = w3.fma(column, sum13);
      column = FloatVector.fromMemorySegment(Lanes.FLOATS, x, at + 2 * Lanes.BYTES, LITTLE_ENDIAN);
      sum20 = w0.fma(column, sum20);
      sum21 = w1.fma(column, sum21);
      sum22 = w2.fma(column, sum22);
      sum23 = w3.fma(column, sum23);
      column = FloatVector.fromMemorySegment(Lanes.FLOATS, x, at + 3 * Lanes.BYTES, LITTLE_ENDIAN);
      sum30 = w0.fma(column, sum30);
      sum31 = w1.fma(column, sum31);
      sum32 = w2.fma(column, sum32);
      sum33 = w3.fma(column, sum33);
      w0 = FloatVector.fromMemorySegment(Lanes.FLOATS, weights, base + Lanes.BYTES, LITTLE_ENDIAN);
      w1 =
          FloatVector.fromMemorySegment(
              Lanes.FLOATS, weights, base + stride + Lanes.BYTES, LITTLE_ENDIAN);
      w2 =
          FloatVector.fromMemorySegment(
              Lanes.FLOATS, weights, base + 2 * stride + Lanes.BYTES, LITTLE_ENDIAN);
      w3 =
          FloatVector.fromMemorySegment(
              Lanes.FLOATS, weights, base + 3 * stride + Lanes.BYTES, LITTLE_ENDIAN);
      column = FloatVector.fromMemorySegment(Lanes.FLOATS, x, at + 4 * Lanes.BYTES, LITTLE_ENDIAN);
      sum00 = w0.fma(column, sum00);
      sum01 = w1.fma(column, sum01);
      sum02 = w2.fma(column, sum02);
      sum03 = w3.fma(column, sum03);
      column = FloatVector.fromMemorySegment(Lanes.FLOATS, x, at + 5 * Lanes.BYTES, LITTLE_ENDIAN);
      sum10 = w0.fma(column, sum10);
      sum11 = w1.fma(column, sum11);
      sum12 = w2.fma(column, sum12);
      sum13 = w3.fma(column, sum13);
      column = FloatVector.fromMemorySegment(Lanes.FLOATS, x, at + 6 * Lanes.BYTES, LITTLE_ENDIAN);
      sum20 = w0.fma(column, sum20);
      sum21 = w1.fma(column, sum21);
      sum22 = w2.fma(column, sum22);
      sum23 = w3.fma(column, sum23);
      column = FloatVector.fromMemorySegment(Lanes.FLOATS, x, at + 7 * Lanes.BYTES, LITTLE_ENDIAN);
      sum30 = w0.fma(column, sum30);
      sum31 = w1.fma(column, sum31);
      sum32 = w2.fma(column, sum32);
      sum33 = w3.fma(column, sum33);
    }
    if (whole) {
      sum00 =
          sum00
              .blend(sum20, Lanes.UPPER_8)
              .add(sum20.blend(sum00, Lanes.UPPER_8).rearrange(Lanes.SWAP_8));
      sum01 =
          sum01
              .blend(sum21, Lanes.UPPER_8)
              .add(sum21.blend(sum01, Lanes.UPPER_8).rearrange(Lanes.SWAP_8));
      sum02 =
          sum02
              .blend(sum22, Lanes.UPPER_8)
              .add(sum22.blend(sum02, Lanes.UPPER_8).rearrange(Lanes.SWAP_8));
      sum03 =
          sum03
              .blend(sum23, Lanes.UPPER_8)
              .add(sum23.blend(sum03, Lanes.UPPER_8).rearrange(Lanes.SWAP_8));
      sum10 =
          sum10
              .blend(sum30, Lanes.UPPER_8)
              .add(sum30.blend(sum10, Lanes.UPPER_8).rearrange(Lanes.SWAP_8));
      sum11 =
          sum11
              .blend(sum31, Lanes.UPPER_8)
              .add(sum31.blend(sum11, Lanes.UPPER_8).rearrange(Lanes.SWAP_8));
      sum12 =
          sum12
              .blend(sum32, Lanes.UPPER_8)
              .add(sum32.blend(sum12, Lanes.UPPER_8).rearrange(Lanes.SWAP_8));
      sum13 =
          sum13
              .blend(sum33, Lanes.UPPER_8)
              .add(sum33.blend(sum13, Lanes.UPPER_8).rearrange(Lanes.SWAP_8));
      sum00 =
          sum00
              .blend(sum10, Lanes.UPPER_4)
              .add(sum10.blend(sum00, Lanes.UPPER_4).rearrange(Lanes.SWAP_4));
      sum01 =
          sum01
              .blend(sum11, Lanes.UPPER_4)
              .add(sum11.blend(sum01, Lanes.UPPER_4).rearrange(Lanes.SWAP_4));
      sum02 =
          sum02
              .blend(sum12, Lanes.UPPER_4)
              .add(sum12.blend(sum02, Lanes.UPPER_4).rearrange(Lanes.SWAP_4));
      sum03 =
          sum03
              .blend(sum13, Lanes.UPPER_4)
              .add(sum13.blend(sum03, Lanes.UPPER_4).rearrange(Lanes.SWAP_4));
      sum00 =
          sum00
              .blend(sum02, Lanes.UPPER_2)
              .add(sum02.blend(sum00, Lanes.UPPER_2).rearrange(Lanes.SWAP_2));
      sum01 =
          sum01
              .blend(sum03, Lanes.UPPER_2)
              .add(sum03.blend(sum01, Lanes.UPPER_2).rearrange(Lanes.SWAP_2));
      sum00
          .blend(sum01, Lanes.UPPER_1)
          .add(sum01.blend(sum00, Lanes.UPPER_1).rearrange(Lanes.SWAP_1))
          .intoArray(out, to);
      return;
    }
    sum00.intoArray(out, 0);
    sum01.intoArray(out, Lanes.COUNT);
    sum02.intoArray(out, 2 * Lanes.COUNT);
    sum03.intoArray(out, 3 * Lanes.COUNT);
    sum10.intoArray(out, 4 * Lanes.COUNT);
    sum11.intoArray(out, 5 * Lanes.COUNT);
    sum12.intoArray(out, 6 * Lanes.COUNT);
    sum13.intoArray(out, 7 * Lanes.COUNT);
    sum20.intoArray(out, 8 * Lanes.COUNT);
    sum21.intoArray(out, 9 * Lanes.COUNT);
    sum22.intoArray(out, 10 * Lanes.COUNT);
    sum23.intoArray(out, 11 * Lanes.COUNT);
    sum30.intoArray(out, 12 * Lanes.COUNT);
    sum31.intoArray(out, 13 * Lanes.COUNT);
    sum32.intoArray(out, 14 * Lanes.COUNT);
    sum33.intoArray(out, 15 * Lanes.COUNT);
  }

  /**
   * Widens {@link #UNIT} rows of F16 to floats, 4 of each of 4 streams: in every chunk the even
   * columns, then the odd ones, as {@link PackedRows} has them; left-over columns as they are.
   */
  static void widen(
      MemorySegment weights,
      long offset,
      long rowStride,
      long streamBytes,
      int columns,
      Scratch scratch) {
    scratch.ensureStrip(4L * UNIT * columns);
    int chunks = columns / Lanes.CHUNK;
    for (int r = 0; r < UNIT; r++) {
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

  /** What one thread needs beside its inputs. */
  static final class Scratch {
    final float[] partials = new float[Lanes.PARTIALS];
    final float[] results = new float[2 * WIDE_STRIP * UNIT];
    final float[] lanes = new float[Lanes.COUNT];
    MemorySegment strip = MemorySegment.NULL;

    // The weight rows that are multiplied next.
    private MemorySegment weights;
    private long offset;
    private long rowStep;

    private void ensureStrip(long bytes) {
      if (strip.byteSize() < bytes) {
        strip = NativeMemory.allocateAutomatic(bytes);
      }
    }
  }
}
