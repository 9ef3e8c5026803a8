package dev.muninn.vector;

import static dev.muninn.kernel.KernelInputs.assertSameBits;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.cache.KeyValueType;
import dev.muninn.kernel.EveryWidth;
import dev.muninn.kernel.KernelInputs;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Keys and values in 8 bits: kernels against their twins, and against the numbers themselves. */
@EveryWidth
class ByteStoreTest {
  private static final int ROWS = 320;

  /** Half of the widest step between bytes of numbers from -1 to 1, and a little. */
  private static final double ROUNDING = 2.02 / 254;

  private final KernelInputs inputs = new KernelInputs(9);

  /** A head of keys, and behind it one of values of the same numbers. */
  private static MemorySegment stored(float[] x, int size, Arena arena) {
    MemorySegment data = arena.allocate(2 * bytes(size), 64);
    data.fill((byte) 0xFF);
    for (int p = 0; p < ROWS; p++) {
      ByteBlocks.storeKey(x, p * size, size, data, 0, ROWS, p);
      ByteBlocks.storeValue(x, p * size, size, data, bytes(size), ROWS, p);
    }
    return data;
  }

  private static long bytes(int size) {
    return (long) ROWS * KeyValueType.Q8.rowBytes(size);
  }

  private static float key(MemorySegment data, int position, int column, int size) {
    int columns = ByteBlocks.columns(size);
    return (ByteBlocks.key(data, 0, position, column, columns) - ByteBlocks.ZERO)
        * ByteBlocks.scale(data, 0, position, ROWS, columns);
  }

  private static float value(MemorySegment data, int position, int column, int size) {
    long head = bytes(size);
    return (ByteBlocks.value(data, head, position, column, ROWS) - ByteBlocks.ZERO)
        * ByteBlocks.scale(data, head, position, ROWS, ByteBlocks.columns(size));
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 24, 32, 56, 64, 96, 128, 224})
  void numbersAreRounded(int size) {
    try (Arena arena = Arena.ofConfined()) {
      float[] x = inputs.values(ROWS * size);
      MemorySegment data = stored(x, size, arena);
      for (int i = 0; i < x.length; i++) {
        assertEquals(x[i], key(data, i / size, i % size, size), ROUNDING, "key " + i);
        assertEquals(x[i], value(data, i / size, i % size, size), ROUNDING, "value " + i);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 24, 32, 56, 64, 96, 128, 224})
  void scoresAreTheTwins(int size) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment data = stored(inputs.values(ROWS * size), size, arena);
      float[] query = inputs.values(size);
      float[] packed = ByteKeys.query(size);
      ByteKeys.packQuery(query, size, packed);
      float[] scores = new float[ByteKeys.STREAMS * ByteBlocks.SIDE];
      float[] twin = scores.clone();
      ByteKeys.scores(data, 0, ROWS, 48, 80, packed, scores);
      ByteKeys.scoresByScalars(data, 0, ROWS, 48, 80, packed, twin);
      assertSameBits(twin, scores, "scores");
      for (int i = 0; i < scores.length; i++) {
        int position = 48 + i / 16 * 80 + i % 16;
        double sum = 0;
        for (int column = 0; column < size; column++) {
          sum += query[column] * key(data, position, column, size);
        }
        assertEquals(sum, scores[i], 1e-4, "score of " + position);
      }
    }
  }

  @ParameterizedTest
  @CsvSource({
    "2,0,1",
    "24,0,320",
    "32,5,93",
    "56,5,8",
    "64,0,256",
    "96,15,17",
    "96,3,300",
    "128,16,319",
    "224,1,290"
  })
  void weightedSumsAreTheTwins(int size, int from, int to) {
    try (Arena arena = Arena.ofConfined()) {
      float[] x = inputs.values(ROWS * size);
      // What lies beside the positions must not be read as a number.
      for (int p : new int[] {from - 1, to}) {
        if (p >= 0 && p < ROWS) {
          x[p * size] = Float.NaN;
        }
      }
      MemorySegment data = stored(x, size, arena);
      float[] weights = inputs.values(ROWS);
      float[] out = inputs.values(size);
      float[] twin = out.clone();
      double[] expected = new double[size];
      for (int i = 0; i < size; i++) {
        expected[i] = out[i];
        for (int p = from; p < to; p++) {
          expected[i] += weights[p] * value(data, p, i, size);
        }
      }
      ByteValues.Scratch scratch = new ByteValues.Scratch(size);
      Arrays.fill(scratch.weights, Float.NaN);
      ByteValues.add(data, bytes(size), ROWS, weights, from, to, scratch, out);
      ByteValues.addByScalars(data, bytes(size), ROWS, weights, from, to, scratch, twin);
      assertSameBits(twin, out, "weighted sums");
      for (int i = 0; i < size; i++) {
        assertEquals(expected[i], out[i], 2e-4, "column " + i);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(floats = {Float.NaN, Float.POSITIVE_INFINITY})
  void whatIsNotFiniteIsNaN(float bad) {
    try (Arena arena = Arena.ofConfined()) {
      float[] x = inputs.values(ROWS * 32);
      x[3 * 32 + 7] = bad;
      MemorySegment data = stored(x, 32, arena);
      assertTrue(Float.isNaN(key(data, 3, 0, 32)));
      assertTrue(Float.isNaN(value(data, 3, 0, 32)));
      assertEquals(x[4 * 32], key(data, 4, 0, 32), ROUNDING);
      assertEquals(x[4 * 32], value(data, 4, 0, 32), ROUNDING);
      Arrays.fill(x, 0);
      assertEquals(0, key(stored(x, 32, arena), 0, 0, 32));
    }
  }
}
