package dev.muninn.vector;

import static java.nio.ByteOrder.LITTLE_ENDIAN;

import dev.muninn.kernel.Lanes;
import dev.muninn.kernel.RowKernels;
import dev.muninn.kernel.ScalarKernels;
import dev.muninn.model.WeightFormat;
import dev.muninn.model.WeightMatrix;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;

/**
 * Products of row-major weights with many rows: 32 weight rows by some columns are widened to what
 * a panel has, and multiplied as such, which the multipliers like best.
 *
 * <p>The results are those of {@link RowMajorProducts} to the last bit. There a product has as many
 * partial sums as a vector has lanes, each of its own columns; here the columns of one such lane
 * follow each other, lane by lane, and the partial sums are folded in the end in the same order.
 */
final class PackingProducts {
  /**
   * Rows from which packing pays where it does, the tiles of long vectors being better than the
   * others, and for attention.
   */
  static final int LEAST_ROWS = Lanes.COUNT == Lanes.SUMS ? 64 : 24;

  /** Columns that are packed at once: enough of each lane. */
  static final int COLUMNS = 32 * Lanes.COUNT;

  private static final int OUTPUTS = PanelTiles.OUTPUTS;
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(LITTLE_ENDIAN);

  private PackingProducts() {}

  /**
   * Where a block has the first column of each lane, and at the end of all.
   *
   * @param columns of the block
   * @param starts gets one more number than a vector has lanes
   */
  static void laneStarts(int columns, boolean paired, int[] starts) {
    int chunks = columns / Lanes.CHUNK;
    int tail = columns % Lanes.CHUNK;
    starts[0] = 0;
    for (int lane = 0; lane < Lanes.COUNT; lane++) {
      int first = paired ? 2 * lane : lane;
      int second = paired ? 2 * lane + 1 : Lanes.COUNT + lane;
      int left = (first < tail ? 1 : 0) + (second < tail ? 1 : 0);
      starts[lane + 1] = starts[lane] + 2 * chunks + left;
    }
  }

  /** {@link MatrixKernels#multiply}, for rows packed for it. */
  static void multiply(
      WeightMatrix matrix,
      int from,
      int to,
      PackedRows x,
      float[] y,
      int at,
      int stride,
      MatrixKernels.Scratch scratch) {
    multiply(matrix, from, to, x, 0, y, at, stride, scratch);
  }

  /**
   * The same without the rows of some groups.
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
    int groups = x.panels().groups();
    int columns = matrix.columns();
    // Of few columns the packed weights serve group after group, whose sums stay in the cache.
    int together = columns <= COLUMNS ? 1 : groups - firstGroup;
    float[] sums = scratch.sums(together * PanelRows.GROUP * Lanes.COUNT);
    float[] packed = scratch.widened();
    int[] starts = scratch.laneStarts;
    for (int first = from; first < to; first += OUTPUTS) {
      int count = Math.min(OUTPUTS, to - first);
      for (int group = firstGroup; group < groups; group += together) {
        int lane = OUTPUTS * PanelRows.GROUP * together;
        Arrays.fill(sums, 0, lane * Lanes.COUNT, 0);
        for (int column = 0; column < columns; column += COLUMNS) {
          if (group == firstGroup) {
            int width = Math.min(COLUMNS, columns - column);
            laneStarts(width, x.paired(), starts);
            pack(matrix, first, count, column, width, starts, packed);
          }
          addAll(packed, starts, column, x.panels(), group, together, sums, lane);
        }
        fold(sums, lane);
        int firstRow = PanelRows.GROUP * group;
        int end = Math.min(x.rows(), firstRow + PanelRows.GROUP * together);
        for (int row = firstRow; row < end; row++) {
          System.arraycopy(sums, OUTPUTS * (row - firstRow), y, at + row * stride + first, count);
        }
      }
    }
  }

  private static void addAll(
      float[] packed,
      int[] starts,
      int column,
      PanelRows x,
      int first,
      int groups,
      float[] sums,
      int lane) {
    for (int group = 0; group < groups; group++) {
      int at = x.offset(first + group, column);
      int to = OUTPUTS * PanelRows.GROUP * group;
      for (int i = 0; i < OUTPUTS; i += PanelTiles.STEP) {
        for (int l = 0; l < Lanes.COUNT; l++) {
          PanelTiles.add(
              packed,
              OUTPUTS * starts[l] + i,
              starts[l + 1] - starts[l],
              x.values,
              at + PanelRows.GROUP * starts[l],
              sums,
              l * lane + to + i);
        }
      }
    }
  }

  /** Adds up the lanes' partial sums as {@link ScalarKernels#sum} does. */
  private static void fold(float[] sums, int lane) {
    for (int distance = Lanes.COUNT / 2; distance > 0; distance /= 2) {
      RowKernels.add(sums, 0, sums, distance * lane, distance * lane);
    }
    // What may be -0 in one order of columns is 0 in all.
    addZero(sums, lane);
  }

  /** {@code x += 0}, which makes -0 to 0. */
  private static void addZero(float[] x, int size) {
    int i = 0;
    for (; i < Lanes.FLOATS.loopBound(size); i += Lanes.COUNT) {
      FloatVector.fromArray(Lanes.FLOATS, x, i).add(0).intoArray(x, i);
    }
    for (; i < size; i++) {
      x[i] += 0f;
    }
  }

  /**
   * Widens some columns of up to 32 rows.
   *
   * @param packed gets [columns in the order of lanes][32 rows]
   */
  private static void pack(
      WeightMatrix matrix,
      int first,
      int count,
      int column,
      int width,
      int[] starts,
      float[] packed) {
    MemorySegment weights = matrix.data();
    WeightFormat format = matrix.format();
    long stride = matrix.stride();
    long offset = first * stride + format.bytes(column);
    int whole = width - width % Lanes.CHUNK;
    int row = 0;
    for (; row + 4 <= count; row += 4) {
      long at = offset + row * stride;
      switch (format) {
        case BF16 -> packBf16(weights, at, stride, whole, starts, packed, row);
        case F16 -> packF16(weights, at, stride, whole, starts, packed, row);
        default -> packF32(weights, at, stride, whole, starts, packed, row);
      }
      for (int i = 0; i < 4 && whole < width; i++) {
        packScalars(matrix, first + row + i, column, whole, width, starts, packed, row + i);
      }
    }
    for (; row < count; row++) {
      packScalars(matrix, first + row, column, 0, width, starts, packed, row);
    }
  }

  private static void packScalars(
      WeightMatrix matrix,
      int row,
      int column,
      int from,
      int to,
      int[] starts,
      float[] packed,
      int place) {
    boolean paired = PackedRows.paired(matrix.format());
    for (int i = from; i < to; i++) {
      packed[OUTPUTS * position(i, paired, starts) + place] = matrix.get(row, column + i);
    }
  }

  /** Where a block has a column. */
  static int position(int column, boolean paired, int[] starts) {
    int within = column % Lanes.CHUNK;
    int lane = paired ? within / 2 : within % Lanes.COUNT;
    int second = paired ? within % 2 : within / Lanes.COUNT;
    return starts[lane] + 2 * (column / Lanes.CHUNK) + second;
  }

  private static void packBf16(
      MemorySegment weights,
      long offset,
      long stride,
      int columns,
      int[] starts,
      float[] packed,
      int row) {
    weights.get(ValueLayout.JAVA_BYTE, offset);
    for (int lane = 0; lane < Lanes.COUNT; lane++) {
      long at = offset + 4L * lane;
      int to = OUTPUTS * starts[lane] + row;
      for (int i = 0; i < columns; i += Lanes.CHUNK, at += 2 * Lanes.CHUNK, to += 2 * OUTPUTS) {
        int a = weights.get(INT, at);
        int b = weights.get(INT, at + stride);
        int c = weights.get(INT, at + 2 * stride);
        int d = weights.get(INT, at + 3 * stride);
        packed[to] = Float.intBitsToFloat(a << 16);
        packed[to + 1] = Float.intBitsToFloat(b << 16);
        packed[to + 2] = Float.intBitsToFloat(c << 16);
        packed[to + 3] = Float.intBitsToFloat(d << 16);
        packed[to + OUTPUTS] = Float.intBitsToFloat(a & 0xFFFF0000);
        packed[to + OUTPUTS + 1] = Float.intBitsToFloat(b & 0xFFFF0000);
        packed[to + OUTPUTS + 2] = Float.intBitsToFloat(c & 0xFFFF0000);
        packed[to + OUTPUTS + 3] = Float.intBitsToFloat(d & 0xFFFF0000);
      }
    }
  }

  private static void packF16(
      MemorySegment weights,
      long offset,
      long stride,
      int columns,
      int[] starts,
      float[] packed,
      int row) {
    weights.get(ValueLayout.JAVA_BYTE, offset);
    for (int i = 0; i < 4; i++) {
      for (int lane = 0; lane < Lanes.COUNT; lane++) {
        long at = offset + i * stride + 4L * lane;
        int to = OUTPUTS * starts[lane] + row + i;
        for (int k = 0; k < columns; k += Lanes.CHUNK, at += 2 * Lanes.CHUNK, to += 2 * OUTPUTS) {
          int pair = weights.get(INT, at);
          packed[to] = Float.float16ToFloat((short) pair);
          packed[to + OUTPUTS] = Float.float16ToFloat((short) (pair >>> 16));
        }
      }
    }
  }

  private static void packF32(
      MemorySegment weights,
      long offset,
      long stride,
      int columns,
      int[] starts,
      float[] packed,
      int row) {
    weights.get(ValueLayout.JAVA_BYTE, offset);
    for (int lane = 0; lane < Lanes.COUNT; lane++) {
      long at = offset + 4L * lane;
      int to = OUTPUTS * starts[lane] + row;
      for (int i = 0; i < columns; i += Lanes.COUNT, at += Lanes.BYTES, to += OUTPUTS) {
        packed[to] = ScalarKernels.f32(weights, at);
        packed[to + 1] = ScalarKernels.f32(weights, at + stride);
        packed[to + 2] = ScalarKernels.f32(weights, at + 2 * stride);
        packed[to + 3] = ScalarKernels.f32(weights, at + 3 * stride);
      }
    }
  }

  /** The twin: a product's partial sums lane by lane. */
  static void multiplyByScalars(
      WeightMatrix matrix,
      int from,
      int to,
      PackedRows x,
      float[] y,
      int at,
      int stride,
      float[] lanes) {
    int columns = matrix.columns();
    float[] weights = new float[columns];
    short[] halves = new short[columns];
    int[] starts = new int[Lanes.COUNT + 1];
    PanelRows panels = x.panels();
    for (int o = from; o < to; o++) {
      ScalarMatrixKernels.read(matrix, o, halves, weights, 0);
      for (int row = 0; row < x.rows(); row++) {
        Arrays.fill(lanes, 0, Lanes.COUNT, 0);
        for (int column = 0; column < columns; column += COLUMNS) {
          int width = Math.min(COLUMNS, columns - column);
          laneStarts(width, x.paired(), starts);
          int first = panels.offset(row / PanelRows.GROUP, column) + row % PanelRows.GROUP;
          for (int i = 0; i < width; i++) {
            int lane = PackedRows.tailLane(i % Lanes.CHUNK, x.paired());
            int position = position(i, x.paired(), starts);
            lanes[lane] =
                Math.fma(
                    weights[column + i],
                    panels.values[first + PanelRows.GROUP * position],
                    lanes[lane]);
          }
        }
        y[at + row * stride + o] = ScalarKernels.sum(lanes) + 0f;
      }
    }
  }
}
