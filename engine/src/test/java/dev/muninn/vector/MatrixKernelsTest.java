package dev.muninn.vector;

import static dev.muninn.kernel.KernelInputs.assertClose;
import static dev.muninn.kernel.KernelInputs.assertSameBits;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.management.ThreadMXBean;
import dev.muninn.kernel.EveryWidth;
import dev.muninn.kernel.KernelInputs;
import dev.muninn.kernel.Lanes;
import dev.muninn.kernel.ScalarKernels;
import dev.muninn.model.WeightFormat;
import dev.muninn.model.WeightMatrix;
import dev.muninn.weights.DType;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Products against the scalar twin, to the last bit, and against a product in doubles. */
@EveryWidth
class MatrixKernelsTest {
  private static final DType[] TYPES = {DType.F32, DType.BF16, DType.F16};
  private static final int[] ROWS = {1, 2, 3, 4, 5, 8, 9, 13, 33};
  private static final int[] OUTPUTS = {1, 4, 15, 16, 17, 28, 40, 56, 168};
  private static final int[] COLUMNS = {1, 2, 7, 24, 28, 31, 32, 33, 56, 64, 96, 136, 352};
  private static final int MOST_ROWS = 33;

  /** Much more than the compiler takes for any kernel. */
  private static final long COMPILATION_NANOS = 60_000_000_000L;

  /** A NaN that no arithmetic makes. */
  private static final float UNTOUCHED = Float.intBitsToFloat(0x7FC0BEEF);

  private final MatrixKernels.Scratch scratch = new MatrixKernels.Scratch();

  static Stream<Arguments> typesAndColumns() {
    return Arrays.stream(TYPES)
        .flatMap(dtype -> IntStream.of(COLUMNS).mapToObj(columns -> Arguments.of(dtype, columns)));
  }

  @ParameterizedTest
  @MethodSource("typesAndColumns")
  void productsAreTheTwinsToTheLastBit(DType dtype, int columns) {
    KernelInputs inputs = new KernelInputs(1_000 * dtype.ordinal() + columns);
    float[] x = inputs.values(MOST_ROWS * columns);
    for (int outputs : OUTPUTS) {
      try (Arena arena = Arena.ofConfined()) {
        WeightMatrix matrix = inputs.matrix(dtype, outputs, columns, outputs % 4, arena);
        float[][] expected = twins(matrix, x);
        assertCloseToDoubles(matrix, x, expected);
        for (int rows : ROWS) {
          int first = inputs.integer(MOST_ROWS - rows + 1);
          check(matrix, x, first, rows, expected, cuts(outputs, inputs));
        }
      }
    }
  }

  /** What the scalar twin makes of every row by itself: [row][output]. */
  private static float[][] twins(WeightMatrix matrix, float[] x) {
    int columns = matrix.columns();
    PackedRows alone = new PackedRows(1, columns);
    float[] lanes = new float[Lanes.COUNT];
    float[][] results = new float[x.length / columns][matrix.rows()];
    for (int row = 0; row < results.length; row++) {
      alone.shape(1, columns, matrix.format());
      alone.pack(0, x, row * columns);
      for (int o = 0; o < matrix.rows(); o++) {
        results[row][o] = ScalarMatrixKernels.dot(matrix, o, alone, 0, lanes);
      }
    }
    return results;
  }

  private static void assertCloseToDoubles(WeightMatrix matrix, float[] x, float[][] results) {
    int columns = matrix.columns();
    double[] weights = new double[columns];
    for (int o = 0; o < matrix.rows(); o++) {
      for (int k = 0; k < columns; k++) {
        weights[k] = ScalarKernels.weight(matrix.dtype(), matrix.data(), o * matrix.stride(), k);
      }
      for (int row = 0; row < results.length; row++) {
        double sum = 0;
        for (int k = 0; k < columns; k++) {
          sum += weights[k] * x[row * columns + k];
        }
        assertClose(sum, results[row][o], 1e-5 * columns, "output " + o + " of row " + row);
      }
    }
  }

  /** Where the outputs are divided among threads: any multiples of the unit, some ranges empty. */
  private static int[] cuts(int outputs, KernelInputs inputs) {
    int units = (outputs + MatrixKernels.UNIT - 1) / MatrixKernels.UNIT;
    int[] cuts = new int[2 + inputs.integer(3)];
    for (int i = 1; i < cuts.length - 1; i++) {
      cuts[i] = Math.min(outputs, inputs.integer(units + 1) * MatrixKernels.UNIT);
    }
    cuts[cuts.length - 1] = outputs;
    Arrays.sort(cuts);
    return cuts;
  }

  /** Which kernels compute: {@code multiply} itself decides by whether they are compiled. */
  private enum Way {
    VECTORS,
    SCALARS,
    EITHER
  }

  /** The product with rows as they are, and displaced by some number of columns. */
  private void check(
      WeightMatrix matrix, float[] x, int first, int rows, float[][] expected, int[] cuts) {
    check(matrix, x, first, rows, expected, cuts, 0);
    check(matrix, x, first, rows, expected, cuts, 2 + 2 * ((first + rows) % (Lanes.COUNT - 1)));
  }

  private void check(
      WeightMatrix matrix,
      float[] x,
      int first,
      int rows,
      float[][] expected,
      int[] cuts,
      int shift) {
    int columns = matrix.columns();
    int outputs = matrix.rows();
    PackedRows packed = new PackedRows(MOST_ROWS, columns);
    // The places of rows that fill up a group keep what an earlier product left there.
    packed.data.fill((byte) 0xFF);
    packed.shape(rows, columns, matrix.format(), shift);
    for (int row = 0; row < rows; row++) {
      packed.pack(row, x, (first + row) * columns);
    }
    int at = 3;
    int stride = outputs + 5;
    float[] y = new float[at + rows * stride];
    Arrays.fill(y, UNTOUCHED);
    float[] wanted = y.clone();
    for (int row = 0; row < rows; row++) {
      System.arraycopy(expected[first + row], 0, wanted, at + row * stride, outputs);
    }
    String what =
        outputs
            + " outputs cut at "
            + Arrays.toString(cuts)
            + ", "
            + rows
            + " rows displaced by "
            + packed.shift();
    for (Way way : Way.values()) {
      float[] out = y.clone();
      for (int part = 0; part + 1 < cuts.length; part++) {
        int from = cuts[part];
        int to = cuts[part + 1];
        switch (way) {
          case VECTORS ->
              MatrixKernels.multiply(matrix, from, to, packed, out, at, stride, scratch);
          case SCALARS ->
              ScalarMatrixKernels.multiply(
                  matrix, from, to, packed, out, at, stride, scratch.lanes);
          case EITHER -> Kernels.multiply(matrix, from, to, packed, out, at, stride, scratch);
        }
      }
      assertSameBits(wanted, out, what + ", " + way);
    }
    for (int row = 0; row < rows && !packed.packing(); row++) {
      int output = row * 7 % outputs;
      assertEquals(
          expected[first + row][output],
          ScalarMatrixKernels.dot(matrix, output, packed, row, new float[Lanes.COUNT]),
          "the twin's own product of row " + row + " among " + rows);
    }
  }

  /** Of 201 rows of 2048 bytes, 6 are computed twice. */
  @Test
  void streamsOverlapWhereTheyAreWholePagesApart() {
    assertEquals(66, WideProducts.wideDistance(201, 2048));
    assertEquals(340, WideProducts.wideDistance(1024, 2048));
    assertEquals(64, WideProducts.wideDistance(192, 10_560));
    assertEquals(33, WideProducts.wideDistance(100, 10_560));
    assertEquals(66, WideProducts.wideDistance(198, 8192));
    assertEquals(30, WideProducts.wideDistance(92, 2048));
    int columns = 1024;
    int outputs = 201;
    KernelInputs inputs = new KernelInputs(8);
    float[] x = inputs.values(MOST_ROWS * columns);
    try (Arena arena = Arena.ofConfined()) {
      WeightMatrix matrix = inputs.matrix(DType.BF16, outputs, columns, 2, arena);
      float[][] expected = twins(matrix, x);
      for (int rows : ROWS) {
        check(matrix, x, 0, rows, expected, new int[] {0, outputs});
      }
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"F32", "BF16", "F16"})
  void weightsMayLieAtAnyByteOfMappedFile(DType dtype, @TempDir Path directory) throws IOException {
    int outputs = 40;
    int columns = 3 * Lanes.CHUNK + 5;
    KernelInputs inputs = new KernelInputs(7);
    float[] x = inputs.values(MOST_ROWS * columns);
    try (Arena arena = Arena.ofShared()) {
      WeightMatrix source = inputs.matrix(dtype, outputs, columns, 0, arena);
      float[][] expected = twins(source, x);
      for (int offset = 0; offset < 8; offset++) {
        long size = offset + source.data().byteSize();
        Path file = directory.resolve("weights-" + offset);
        try (FileChannel channel =
            FileChannel.open(
                file,
                StandardOpenOption.CREATE_NEW,
                StandardOpenOption.READ,
                StandardOpenOption.WRITE)) {
          MemorySegment mapped = channel.map(FileChannel.MapMode.READ_WRITE, 0, size, arena);
          MemorySegment data = mapped.asSlice(offset).copyFrom(source.data());
          WeightMatrix matrix = new WeightMatrix(dtype, outputs, columns, data.asReadOnly());
          check(matrix, x, 0, 1, expected, new int[] {0, outputs});
          check(matrix, x, 4, 6, expected, new int[] {0, outputs});
        }
      }
    }
  }

  /** Some columns of a wider matrix are multiplied as a matrix that has no others. */
  @ParameterizedTest
  @EnumSource(names = {"F32", "BF16", "F16"})
  void partOfMatrixIsMultipliedInPlace(DType dtype) {
    int outputs = 40;
    for (int columns : new int[] {24, 64, 96}) {
      KernelInputs inputs = new KernelInputs(columns + dtype.ordinal());
      float[] x = inputs.values(MOST_ROWS * columns);
      try (Arena arena = Arena.ofConfined()) {
        WeightMatrix whole = inputs.matrix(dtype, outputs, 2 * columns, 8, arena);
        for (int from : new int[] {0, 16, columns}) {
          WeightMatrix part = whole.part(from, columns);
          WeightMatrix copy = inputs.matrix(dtype, outputs, columns, 0, arena);
          for (int o = 0; o < outputs; o++) {
            MemorySegment row = part.data().asSlice(o * part.stride(), part.rowBytes());
            MemorySegment.copy(row, 0, copy.data(), o * copy.stride(), row.byteSize());
          }
          float[][] expected = twins(copy, x);
          for (int rows : ROWS) {
            check(part, x, 0, rows, expected, new int[] {0, outputs});
          }
        }
      }
    }
  }

  /** Rows are displaced to where the weights lie, whatever that is, and only whole pairs. */
  @Test
  void rowsAreDisplacedAsTheWeightsAre() {
    int columns = 2 * Lanes.CHUNK;
    KernelInputs inputs = new KernelInputs(9);
    float[] x = inputs.values(MOST_ROWS * columns);
    try (Arena arena = Arena.ofConfined()) {
      for (int offset = 0; offset < Lanes.BYTES; offset++) {
        MemorySegment memory = arena.allocate(2L * 40 * columns + offset, Lanes.BYTES);
        MemorySegment data = memory.asSlice(offset);
        data.copyFrom(inputs.matrix(DType.BF16, 40, columns, 0, arena).data());
        WeightMatrix matrix = new WeightMatrix(DType.BF16, 40, columns, data);
        PackedRows packed = new PackedRows(8, columns);
        packed.shape(8, matrix);
        assertEquals(packed.wide() && offset % 4 == 0 ? offset / 2 : 0, packed.shift());
        check(matrix, x, 1, 8, twins(matrix, x), new int[] {0, 40}, packed.shift());
      }
    }
  }

  /**
   * Each weight row holds one of the 65,536 values among zeros, at an even and at an odd column, so
   * that its sum is the value.
   */
  @ParameterizedTest
  @EnumSource(names = {"BF16", "F16"})
  void everySixteenBitValueIsExact(DType dtype) {
    int values = 1 << 16;
    int columns = Lanes.CHUNK;
    float[] x = new float[5 * columns];
    Arrays.fill(x, 1);
    try (Arena arena = Arena.ofConfined()) {
      for (int shift = 0; shift < 2; shift++) {
        MemorySegment data = arena.allocate(2L * values * columns, 64);
        for (int bits = 0; bits < values; bits++) {
          KernelInputs.setBits(data, (long) bits * columns + (bits + shift) % columns, bits);
        }
        WeightMatrix matrix = new WeightMatrix(dtype, values, columns, data);
        for (int rows : new int[] {1, 5}) {
          PackedRows packed = new PackedRows(rows, columns);
          packed.shape(rows, columns, WeightFormat.of(dtype));
          for (int row = 0; row < rows; row++) {
            packed.pack(row, x, row * columns);
          }
          float[] y = new float[rows * values];
          MatrixKernels.multiply(matrix, 0, values, packed, y, 0, values, scratch);
          for (int i = 0; i < y.length; i++) {
            float expected = KernelInputs.value(dtype, i % values);
            // Not told apart: NaN of other bits, and the zeros, whose sum with 0 is 0.
            assertTrue(
                y[i] == expected || Float.isNaN(expected) && Float.isNaN(y[i]),
                () -> dtype + " value " + expected);
          }
        }
      }
    }
  }

  /**
   * A kernel too large for the compiler to inline all of it keeps its vectors on the heap, and is a
   * hundred times as slow.
   */
  @ParameterizedTest
  @MethodSource("typesAndRows")
  void compiledKernelsAllocateNothing(DType dtype, int rows) {
    assumeTrue(JitCompiler.current() == JitCompiler.C2, "no C2 compiles the kernels here");
    int outputs = 6 * MatrixKernels.UNIT;
    int columns = 8 * Lanes.CHUNK;
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    try (Arena arena = Arena.ofConfined()) {
      KernelInputs inputs = new KernelInputs(5);
      WeightMatrix matrix = inputs.matrix(dtype, outputs, columns, 0, arena);
      float[] x = inputs.values(columns);
      PackedRows packed = new PackedRows(rows, columns);
      packed.shape(rows, columns, WeightFormat.of(dtype), 4);
      float[] y = new float[rows * outputs];
      long allocated = Long.MAX_VALUE;
      long end = System.nanoTime() + COMPILATION_NANOS;
      while (allocated > 0 && System.nanoTime() < end) {
        long before = threads.getCurrentThreadAllocatedBytes();
        for (int call = 0; call < 200; call++) {
          packed.pack(call % rows, x, 0);
          MatrixKernels.multiply(matrix, 0, outputs, packed, y, 0, outputs, scratch);
        }
        allocated = threads.getCurrentThreadAllocatedBytes() - before;
      }
      assertEquals(0, allocated, "bytes in 200 products of " + rows + " rows");
    }
  }

  static Stream<Arguments> typesAndRows() {
    return Arrays.stream(TYPES)
        .flatMap(dtype -> IntStream.of(1, 4, 8).mapToObj(rows -> Arguments.of(dtype, rows)));
  }

  /** The widened chunks have their even columns first; this undoes it. */
  @Test
  void wideningIsExactForAllValues() {
    int columns = (1 << 16) / MatrixKernels.UNIT;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment data = arena.allocate(1 + (2L << 16), 64).asSlice(1);
      for (int bits = 0; bits < 1 << 16; bits++) {
        KernelInputs.setBits(data, bits, bits);
      }
      F16Products.widen(data, 0, 2L * columns, 4L * 2 * columns, columns, scratch);
      for (int bits = 0; bits < 1 << 16; bits++) {
        int within = bits % Lanes.CHUNK;
        long index = bits - within + (within % 2) * (long) Lanes.COUNT + within / 2;
        float widened = ScalarKernels.f32(scratch.strip, 4 * index);
        float expected = Float.float16ToFloat((short) bits);
        if (Float.isNaN(expected)) {
          assertTrue(Float.isNaN(widened), "a NaN became " + widened);
        } else {
          assertEquals(
              Float.floatToRawIntBits(expected), Float.floatToRawIntBits(widened), "" + expected);
        }
      }
    }
  }

  @Test
  void wideningTakesRowsFromFourStreams() {
    int columns = Lanes.CHUNK + 3;
    int streamRows = 9;
    try (Arena arena = Arena.ofConfined()) {
      WeightMatrix matrix =
          new KernelInputs(3).matrix(DType.F16, 4 * streamRows, columns, 2, arena);
      long streamBytes = streamRows * matrix.stride();
      int first = 4;
      F16Products.widen(
          matrix.data(), first * matrix.stride(), matrix.stride(), streamBytes, columns, scratch);
      for (int row = 0; row < MatrixKernels.UNIT; row++) {
        long source = (first + row % 4 + (long) row / 4 * streamRows) * matrix.stride();
        for (int k = 0; k < columns; k++) {
          int index = k < Lanes.CHUNK ? k % 2 * Lanes.COUNT + k / 2 : k;
          assertEquals(
              ScalarKernels.weight(DType.F16, matrix.data(), source, k),
              ScalarKernels.f32(scratch.strip, 4L * (row * columns + index)),
              "column " + k + " of row " + row);
        }
      }
    }
  }
}
