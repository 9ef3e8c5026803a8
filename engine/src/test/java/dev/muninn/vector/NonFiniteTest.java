package dev.muninn.vector;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.cache.KeyValueType;
import dev.muninn.kernel.EveryWidth;
import dev.muninn.kernel.KernelInputs;
import dev.muninn.kernel.Lanes;
import dev.muninn.kernel.RowKernels;
import dev.muninn.kernel.ScalarKernels;
import dev.muninn.kernel.WeightedSums;
import dev.muninn.model.WeightMatrix;
import dev.muninn.weights.DType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Numbers that are not finite stay where they are: what does not read them is the same to the last
 * bit, whatever is computed beside it.
 */
@EveryWidth
class NonFiniteTest {
  private static final float[] STRANGE = {
    Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY, Float.NaN
  };
  private static final int MOST_ROWS = 20;
  private static final int OUTPUTS = 40;

  private final MatrixKernels.Scratch scratch = new MatrixKernels.Scratch();
  private final float[] lanes = new float[Lanes.COUNT];

  /** Columns that are odd, whole chunks or neither. */
  static Stream<Arguments> typesAndColumns() {
    int[] columns = {
      1, 7, Lanes.CHUNK, Lanes.CHUNK + 1, 2 * Lanes.CHUNK, 3 * Lanes.CHUNK - 2, 4 * Lanes.CHUNK
    };
    return Stream.of(DType.F32, DType.BF16, DType.F16)
        .flatMap(type -> IntStream.of(columns).mapToObj(count -> Arguments.of(type, count)));
  }

  @ParameterizedTest
  @MethodSource("typesAndColumns")
  void weightsOfOneRowReachOneOutput(DType type, int columns) {
    KernelInputs inputs = new KernelInputs(columns);
    float[] x = inputs.values(MOST_ROWS * columns);
    try (Arena arena = Arena.ofConfined()) {
      WeightMatrix matrix = inputs.matrix(type, OUTPUTS, columns, 0, arena);
      float[][] finite = alone(matrix, x);
      for (int planted : new int[] {0, 21, OUTPUTS - 1}) {
        for (int column : new int[] {0, columns - 1}) {
          float strange = STRANGE[inputs.integer(STRANGE.length)];
          float before = matrix.get(planted, column);
          KernelInputs.set(type, matrix.data(), (long) planted * columns + column, strange);
          float[][] expected = alone(matrix, x);
          for (int row = 0; row < MOST_ROWS; row++) {
            for (int o = 0; o < OUTPUTS; o++) {
              if (o == planted) {
                assertTrue(!Float.isFinite(expected[row][o]));
              } else {
                assertEquals(finite[row][o], expected[row][o], "output " + o);
              }
            }
          }
          check(matrix, x, expected);
          KernelInputs.set(type, matrix.data(), (long) planted * columns + column, before);
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("typesAndColumns")
  void activationsOfOneRowReachOneRow(DType type, int columns) {
    KernelInputs inputs = new KernelInputs(columns);
    float[] x = inputs.values(MOST_ROWS * columns);
    try (Arena arena = Arena.ofConfined()) {
      WeightMatrix matrix = inputs.matrix(type, OUTPUTS, columns, 0, arena);
      float[][] finite = alone(matrix, x);
      for (int planted : new int[] {0, 2, 7, MOST_ROWS - 1}) {
        for (int column : new int[] {0, columns - 1}) {
          float[] strange = x.clone();
          strange[planted * columns + column] = STRANGE[inputs.integer(STRANGE.length)];
          float[][] expected = alone(matrix, strange);
          for (int row = 0; row < MOST_ROWS; row++) {
            if (row != planted) {
              KernelInputs.assertSameBits(finite[row], expected[row], "row " + row);
            }
          }
          check(matrix, strange, expected);
        }
      }
    }
  }

  /** Products that underflow leave zeros, of whose signs rows beside them say nothing. */
  @ParameterizedTest
  @MethodSource("typesAndColumns")
  void zerosHaveOneSign(DType type, int columns) {
    float[] x = new float[MOST_ROWS * columns];
    Arrays.fill(x, -Float.MIN_VALUE);
    try (Arena arena = Arena.ofConfined()) {
      WeightMatrix matrix = new KernelInputs(1).matrix(type, OUTPUTS, columns, 0, arena);
      for (long i = 0; i < (long) OUTPUTS * columns; i++) {
        KernelInputs.set(type, matrix.data(), i, 0x1p-14f);
      }
      float[][] expected = alone(matrix, x);
      for (float[] row : expected) {
        KernelInputs.assertSameBits(new float[OUTPUTS], row, "alone");
      }
      check(matrix, x, expected);
    }
  }

  /** What each row gives by itself: [row][output]. */
  private float[][] alone(WeightMatrix matrix, float[] x) {
    int columns = matrix.columns();
    PackedRows row = new PackedRows(1, columns);
    float[][] results = new float[MOST_ROWS][OUTPUTS];
    for (int i = 0; i < MOST_ROWS; i++) {
      row.shape(1, columns, matrix.format());
      row.pack(0, x, i * columns);
      MatrixKernels.multiply(matrix, 0, OUTPUTS, row, results[i], 0, OUTPUTS, scratch);
    }
    return results;
  }

  /** All numbers of rows, displaced by some columns or not, by vectors and by scalars. */
  private void check(WeightMatrix matrix, float[] x, float[][] expected) {
    int columns = matrix.columns();
    PackedRows packed = new PackedRows(MOST_ROWS, columns);
    for (int rows = 1; rows <= MOST_ROWS; rows++) {
      for (int shift = 0; shift < Lanes.CHUNK; shift += Lanes.CHUNK / 2 - 2) {
        packed.data.fill((byte) 0xFF);
        packed.shape(rows, columns, matrix.format(), shift);
        for (int row = 0; row < rows; row++) {
          packed.pack(row, x, row * columns);
        }
        float[] y = new float[rows * OUTPUTS];
        MatrixKernels.multiply(matrix, 0, OUTPUTS, packed, y, 0, OUTPUTS, scratch);
        float[] twin = new float[y.length];
        ScalarMatrixKernels.multiply(matrix, 0, OUTPUTS, packed, twin, 0, OUTPUTS, lanes);
        for (int row = 0; row < rows; row++) {
          assertSame(expected[row], y, row, rows + " rows displaced by " + packed.shift());
          assertSame(expected[row], twin, row, rows + " rows by scalars");
        }
        if (shift > 0 && packed.shift() == 0) {
          break;
        }
      }
    }
  }

  /** The same bits, or NaN both: those are not told apart. */
  private static void assertSame(float[] expected, float[] all, int row, String what) {
    for (int o = 0; o < expected.length; o++) {
      int bits = Float.floatToIntBits(all[row * expected.length + o]);
      assertEquals(
          Float.floatToIntBits(expected[o]), bits, what + ": output " + o + " of row " + row);
    }
  }

  /**
   * Scores are computed 16 positions at a time: what lies behind the last is read and must not
   * matter.
   */
  @ParameterizedTest
  @EnumSource(KeyValueType.class)
  void positionsBehindTheLastDoNotMatter(KeyValueType kept) {
    DType type = kept == KeyValueType.BF16 ? DType.BF16 : DType.F32;
    for (int size : new int[] {2, 14, 32, 66}) {
      for (int length = 1; length <= 2 * MatrixKernels.UNIT + 1; length += 5) {
        KernelInputs inputs = new KernelInputs(size + length);
        float[] keys = inputs.values(length * size);
        float[] values = inputs.values(length * size);
        float[] query = inputs.values(size);
        float[] zeros = attend(type, keys, values, query, length, 0);
        for (float strange : STRANGE) {
          float[] mixed = attend(type, keys, values, query, length, strange);
          KernelInputs.assertSameBits(zeros, mixed, length + " positions beside " + strange);
        }
      }
    }
  }

  private float[] attend(
      DType type, float[] keys, float[] values, float[] query, int length, float beside) {
    int size = query.length;
    int capacity = length + 2 * MatrixKernels.UNIT;
    long rowBytes = (long) size * type.bits() / 8;
    float[] rest = new float[size];
    Arrays.fill(rest, beside);
    float[] scores = new float[capacity + Lanes.COUNT];
    Arrays.fill(scores, beside);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment keyRows = arena.allocate(capacity * rowBytes, 64);
      MemorySegment valueRows = arena.allocate(capacity * rowBytes, 64);
      for (int position = 0; position < capacity; position++) {
        boolean isInside = position < length;
        long at = position * rowBytes;
        int from = isInside ? position * size : 0;
        RowKernels.store(type, isInside ? keys : rest, from, keyRows, at, size);
        RowKernels.store(type, isInside ? values : rest, from, valueRows, at, size);
      }
      MemorySegment packed = arena.allocate(4L * size, 64);
      MemorySegment.copy(query, 0, packed, ScalarKernels.FLOAT, 0, size);
      for (int p = 0; p < length; p += MatrixKernels.UNIT) {
        MatrixKernels.dot16(
            type,
            keyRows,
            p * rowBytes,
            rowBytes,
            4 * rowBytes,
            size,
            packed,
            false,
            scratch.partials);
        System.arraycopy(scratch.partials, 0, scores, p, MatrixKernels.UNIT);
      }
      float sum = RowKernels.exponentiate(scores, length);
      float[] mixed = new float[size + 1];
      WeightedSums.add(type, valueRows, 0, size, scores, 0, length, mixed);
      mixed[size] = sum;
      return mixed;
    }
  }

  /** Norms, gates and rotations end with the row. */
  @Test
  void valuesBesideRowDoNotMatter() {
    for (int size = 2; size <= 4 * Lanes.COUNT + 2; size += 2) {
      KernelInputs inputs = new KernelInputs(size);
      float[] x = inputs.values(size);
      float[] y = inputs.values(size);
      float[] expected = chain(x, y, 0);
      for (float strange : STRANGE) {
        KernelInputs.assertSameBits(expected, chain(x, y, strange), size + " beside " + strange);
      }
    }
  }

  private static float[] chain(float[] x, float[] y, float beside) {
    int size = x.length;
    float[] a = new float[size + 2 * Lanes.COUNT];
    Arrays.fill(a, beside);
    float[] b = a.clone();
    System.arraycopy(x, 0, a, Lanes.COUNT, size);
    System.arraycopy(y, 0, b, Lanes.COUNT, size);
    float[] out = new float[size];
    RowKernels.norm(a, Lanes.COUNT, y, 1e-6f, a, Lanes.COUNT, size);
    RowKernels.gate(a, Lanes.COUNT, b, Lanes.COUNT, b, Lanes.COUNT, size);
    RowKernels.add(a, Lanes.COUNT, b, Lanes.COUNT, size);
    float[] turned = new float[size];
    RowKernels.rotate(a, Lanes.COUNT, null, 0, x, y, 0, turned, size);
    RowKernels.rotateHalves(turned, 0, y, 0, x, y, 0, out, size);
    return out;
  }
}
