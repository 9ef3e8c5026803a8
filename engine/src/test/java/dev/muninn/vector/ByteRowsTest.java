package dev.muninn.vector;

import static dev.muninn.kernel.KernelInputs.assertSameBits;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.kernel.EveryWidth;
import dev.muninn.kernel.KernelInputs;
import dev.muninn.kernel.Lanes;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Keys and values in 8 bits: kernels against their twins, and against the numbers themselves. */
@EveryWidth
class ByteRowsTest {
  private static final int POSITIONS = 100;

  private final KernelInputs inputs = new KernelInputs(9);

  private MemorySegment stored(float[] x, int size, Arena arena) {
    long rowBytes = (long) size + ByteRows.SCALE_BYTES;
    MemorySegment rows = arena.allocate(POSITIONS * rowBytes, 64);
    for (int p = 0; p < POSITIONS; p++) {
      ByteRows.store(x, p * size, rows, p * rowBytes, size);
    }
    return rows;
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 24, 32, 56, 64, 96, 128})
  void kernelsAreTheTwins(int size) {
    try (Arena arena = Arena.ofConfined()) {
      float[] x = inputs.values(POSITIONS * size);
      MemorySegment rows = stored(x, size, arena);
      long rowBytes = (long) size + ByteRows.SCALE_BYTES;
      for (int i = 0; i < x.length; i++) {
        long at = i / size * rowBytes;
        assertEquals(x[i], ByteRows.element(rows, at, i % size, size), 2.02 / 254, "number " + i);
      }
      float[] query = inputs.values(size);
      MemorySegment packed = arena.allocate(4L * (size + 1), 64);
      ByteRows.packQuery(query, size, packed);
      float[] scores = new float[Lanes.PARTIALS];
      float[] twin = new float[Lanes.PARTIALS];
      long from = 3 * rowBytes;
      long apart = 24 * rowBytes;
      ByteRows.scores(rows, from, apart, size, packed, scores);
      ByteRows.scoresByScalars(rows, from, apart, size, packed, new float[Lanes.COUNT], twin);
      assertSameBits(Arrays.copyOf(twin, 16), Arrays.copyOf(scores, 16), "scores");
      for (int p = 0; p < 16; p++) {
        double sum = 0;
        for (int i = 0; i < size; i++) {
          long at = from + p % 4 * rowBytes + p / 4 * apart;
          sum += query[i] * ByteRows.element(rows, at, i, size);
        }
        assertEquals(sum, scores[p], 1e-4, "score " + p);
      }
      float[] weights = inputs.values(POSITIONS);
      float[] out = inputs.values(size);
      float[] other = out.clone();
      double[] expected = new double[size];
      for (int i = 0; i < size; i++) {
        expected[i] = out[i];
        for (int p = 5; p < 93; p++) {
          expected[i] += weights[p] * ByteRows.element(rows, p * rowBytes, i, size);
        }
      }
      float[] sums = ByteRows.sums(size);
      ByteRows.addWeighted(rows, 5 * rowBytes, size, weights, 5, 93, sums, out);
      ByteRows.addWeightedByScalars(rows, 5 * rowBytes, size, weights, 5, 93, sums, other);
      assertSameBits(other, out, "weighted sums");
      for (int i = 0; i < size; i++) {
        assertEquals(expected[i], out[i], 1e-4, "column " + i);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(floats = {Float.NaN, Float.POSITIVE_INFINITY})
  void whatIsNotFiniteIsNaN(float bad) {
    try (Arena arena = Arena.ofConfined()) {
      float[] x = inputs.values(POSITIONS * 32);
      x[3 * 32 + 7] = bad;
      MemorySegment rows = stored(x, 32, arena);
      assertTrue(Float.isNaN(ByteRows.element(rows, 3 * 36, 0, 32)));
      assertEquals(x[4 * 32], ByteRows.element(rows, 4 * 36, 0, 32), 2.02 / 254);
      Arrays.fill(x, 0);
      assertEquals(0, ByteRows.element(stored(x, 32, arena), 0, 0, 32));
    }
  }
}
