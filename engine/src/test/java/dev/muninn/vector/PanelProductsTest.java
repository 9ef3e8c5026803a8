package dev.muninn.vector;

import static dev.muninn.kernel.KernelInputs.assertSameBits;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.kernel.EveryWidth;
import dev.muninn.kernel.Lanes;
import dev.muninn.kernel.ScalarKernels;
import dev.muninn.model.WeightFormat;
import dev.muninn.model.WeightMatrix;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Products of weights in panels: against their twin, against a sum in f64, and row by row. */
@EveryWidth
class PanelProductsTest {
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final int[] OUTPUTS = {1, 31, 32, 33, 100, 160};
  private static final int[] COLUMNS = {1, 31, 32, 33, 70, 256, 300};
  private static final int[] ROWS = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 17};

  private final SplittableRandom random = new SplittableRandom(5);

  /** Random weights; in blocks every byte may be anything, and scales are as a matrix has them. */
  private WeightMatrix matrix(WeightFormat format, int rows, int columns, Arena arena) {
    long bytes = format.strides(rows) * format.bytes(columns);
    // At an odd address, as in a file, and ending where its memory ends.
    MemorySegment data = arena.allocate(bytes + 1, 64).asSlice(1);
    for (long i = 0; i < bytes; i++) {
      data.set(ValueLayout.JAVA_BYTE, i, (byte) random.nextInt());
    }
    int step = format.blockBytes();
    for (long block = 0; block < bytes; block += step) {
      for (long at = format == WeightFormat.BF16_PANELS ? 0 : step - 64; at < step; at += 2) {
        float value = (float) (2 * random.nextDouble() - 1);
        data.set(SHORT, block + at, ScalarKernels.bf16(value));
      }
    }
    return new WeightMatrix(format, rows, columns, data);
  }

  private float[] values(int count) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) (4 * random.nextDouble() - 2);
    }
    return values;
  }

  private static PackedRows packed(WeightFormat format, int rows, int columns, float[] x) {
    PackedRows packed = new PackedRows(rows, columns, format);
    packed.shape(rows, columns, format);
    for (int row = rows - 1; row >= 0; row--) {
      packed.pack(row, x, row * columns);
    }
    return packed;
  }

  private static float[] multiply(WeightMatrix matrix, int rows, float[] x) {
    float[] y = new float[rows * matrix.rows() + 3];
    MatrixKernels.multiply(
        matrix,
        0,
        matrix.rows(),
        packed(matrix.format(), rows, matrix.columns(), x),
        y,
        3,
        matrix.rows(),
        new MatrixKernels.Scratch());
    return Arrays.copyOfRange(y, 3, y.length);
  }

  @ParameterizedTest
  @EnumSource(names = {"BF16_PANELS", "Q8", "Q4"})
  void productsAreTheTwins(WeightFormat format) {
    try (Arena arena = Arena.ofConfined()) {
      for (int outputs : OUTPUTS) {
        for (int columns : COLUMNS) {
          WeightMatrix matrix = matrix(format, outputs, columns, arena);
          for (int rows : ROWS) {
            String what = format + " " + outputs + " x " + columns + ", " + rows + " rows";
            float[] x = values(rows * columns);
            float[] y = multiply(matrix, rows, x);
            float[] twin = new float[y.length];
            ScalarMatrixKernels.multiply(
                matrix,
                0,
                outputs,
                packed(format, rows, columns, x),
                twin,
                0,
                outputs,
                new float[Lanes.COUNT]);
            assertSameBits(twin, y, what);
            assertNearDequantized(matrix, rows, x, y, what);
            for (int row = 0; row < rows; row++) {
              float[] alone =
                  multiply(matrix, 1, Arrays.copyOfRange(x, row * columns, (row + 1) * columns));
              assertSameBits(
                  alone, Arrays.copyOfRange(y, row * outputs, (row + 1) * outputs), what);
            }
          }
        }
      }
    }
  }

  private static void assertNearDequantized(
      WeightMatrix matrix, int rows, float[] x, float[] y, String what) {
    int columns = matrix.columns();
    double tolerance = matrix.format() == WeightFormat.Q4 ? 4e-5 : 2e-6;
    for (int row = 0; row < rows; row++) {
      for (int o = 0; o < matrix.rows(); o++) {
        double sum = 0;
        double size = 0;
        for (int k = 0; k < columns; k++) {
          double product = (double) matrix.get(o, k) * x[row * columns + k];
          sum += product;
          size += Math.abs(product);
        }
        double biased = matrix.format() == WeightFormat.Q8 ? 10 * size + 1 : size;
        assertEquals(sum, y[row * matrix.rows() + o], tolerance * biased + 1e-6, what);
      }
    }
  }

  /** A part of the outputs, as a thread takes it. */
  @ParameterizedTest
  @EnumSource(names = {"BF16_PANELS", "Q8", "Q4"})
  void someOutputsAndParts(WeightFormat format) {
    try (Arena arena = Arena.ofConfined()) {
      WeightMatrix matrix = matrix(format, 150, 100, arena);
      for (int rows : new int[] {1, 5}) {
        float[] x = values(rows * 100);
        float[] whole = multiply(matrix, rows, x);
        float[] y = new float[whole.length];
        PackedRows packed = packed(format, rows, 100, x);
        MatrixKernels.Scratch scratch = new MatrixKernels.Scratch();
        MatrixKernels.multiply(matrix, 0, 64, packed, y, 0, 150, scratch);
        MatrixKernels.multiply(matrix, 64, 150, packed, y, 0, 150, scratch);
        assertSameBits(whole, y, "in two parts");
        float[] lower = multiply(matrix.rows(64, 86), rows, x);
        for (int row = 0; row < rows; row++) {
          assertSameBits(
              Arrays.copyOfRange(whole, row * 150 + 64, (row + 1) * 150),
              Arrays.copyOfRange(lower, row * 86, (row + 1) * 86),
              "the lower rows");
        }
        assertNearDequantized(
            matrix.part(64, 36), 1, x, multiply(matrix.part(64, 36), 1, x), "right");
      }
    }
  }

  /** What is not finite stays in its row, or in its output. */
  @ParameterizedTest
  @EnumSource(names = {"BF16_PANELS", "Q8", "Q4"})
  void infinitiesStayWhereTheyAre(WeightFormat format) {
    try (Arena arena = Arena.ofConfined()) {
      WeightMatrix matrix = matrix(format, 40, 70, arena);
      for (float bad : new float[] {Float.NaN, Float.POSITIVE_INFINITY}) {
        float[] x = values(9 * 70);
        float[] clean = multiply(matrix, 9, x);
        x[4 * 70 + 33] = bad;
        float[] y = multiply(matrix, 9, x);
        for (int i = 0; i < y.length; i++) {
          if (i / 40 == 4) {
            assertTrue(!Float.isFinite(y[i]), "row 4, output " + i % 40);
          } else {
            assertEquals(clean[i], y[i]);
          }
        }
        x[4 * 70 + 33] = 1;
        clean = multiply(matrix, 9, x);
        // A scale, or a weight, of row 17: the second of the second pair.
        long at = format.inPanels() ? format.blockBytes() - 64 + 6 : 0;
        short before = matrix.data().get(SHORT, at);
        matrix.data().set(SHORT, at, ScalarKernels.bf16(bad));
        y = multiply(matrix, 9, x);
        for (int i = 0; i < y.length; i++) {
          if (i % 40 == 17) {
            assertTrue(!Float.isFinite(y[i]), "output 17");
          } else {
            assertEquals(clean[i], y[i]);
          }
        }
        matrix.data().set(SHORT, at, before);
      }
    }
  }
}
