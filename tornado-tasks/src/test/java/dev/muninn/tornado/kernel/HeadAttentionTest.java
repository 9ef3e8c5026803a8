package dev.muninn.tornado.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Map;
import java.util.function.IntFunction;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * Attention of many rows of a sequence, which share what they look back on: against sums in plain
 * loops, and against the same rows each by itself.
 */
class HeadAttentionTest extends KernelFixture {
  private static final int MOST = 21;
  private static final int LENGTH = 50;

  /** Eight rows of a sequence, eight of another that stands in two planes, and three of a third. */
  private static final int COUNT = 19;

  /** Where the second plane of the second sequence begins. */
  private static final int SECOND_RUN = 37;

  private final int[] sequences = new int[COUNT];
  private final int[] positions = new int[COUNT];

  HeadAttentionTest() {
    for (int row = 0; row < COUNT; row++) {
      sequences[row] = row / HeadAttention.ROWS;
      positions[row] = 33 + row % HeadAttention.ROWS;
    }
  }

  /** The plane that a position of a row is read from: there are two for each sequence. */
  private int plane(int row, int position) {
    return 2 * sequences[row] + (sequences[row] == 1 && position >= SECOND_RUN ? 1 : 0);
  }

  private static int units(int plane) {
    return plane / 2 == 0 ? CacheFormat.BF16_UNITS : CacheFormat.F32_UNITS;
  }

  private static int base(int plane) {
    return plane * LENGTH * CacheFormat.F32_UNITS;
  }

  private RowTable table(int... rows) {
    RowTable all = new RowTable(MOST, 2 * MOST);
    for (int row : rows) {
      int plane = plane(row, 0);
      all.add(row, positions[row], 0, units(plane));
      all.addRun(0, base(plane));
      int other = plane(row, positions[row]);
      if (other != plane) {
        all.addRun(SECOND_RUN, base(other));
      }
    }
    return all;
  }

  private static int[] all() {
    int[] rows = new int[COUNT];
    for (int row = 0; row < COUNT; row++) {
      rows[row] = row;
    }
    return rows;
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void rowsThatReadTogether(int group) {
    final int heads = group * KEY_VALUE_HEADS;
    final int queryWidth = heads * HEAD_SIZE;
    final int workSize = AttentionKernels.workSize(HEAD_SIZE);
    float[] queries = values(MOST * queryWidth);
    float[] numbers = values(6 * LENGTH * 2 * KEY_VALUE_WIDTH);
    IntArray cache = new IntArray(6 * LENGTH * CacheFormat.F32_UNITS * KEY_VALUE_WIDTH);
    cache.init(0);
    for (int i = 0; i < numbers.length; i += 2) {
      int at = i / (2 * KEY_VALUE_WIDTH);
      int units = units(at / LENGTH);
      int from = (base(at / LENGTH) + at % LENGTH * units) * KEY_VALUE_WIDTH;
      int number = i % (2 * KEY_VALUE_WIDTH);
      CacheFormat.set(cache, table, units, from, number, numbers[i], numbers[i + 1]);
      numbers[i] = stored(units, numbers[i]);
      numbers[i + 1] = stored(units, numbers[i + 1]);
    }
    FloatArray queryArray = FloatArray.fromArray(queries);
    FloatArray work = new FloatArray(MOST * heads * workSize);
    FloatArray attended = new FloatArray(MOST * queryWidth);
    KernelRun.Output output = KernelRun.Output.of(attended);
    float[] expected = expected(queries, numbers, group);
    check(table(all()), queryArray, cache, work, attended, output, heads, at(expected));
    final float[] together = new float[expected.length];
    for (int i = 0; i < together.length; i++) {
      together[i] = attended.get(i);
    }
    for (int row : new int[] {0, 7, 8, 15}) {
      for (int i = 0; i < queryWidth; i++) {
        queryArray.set(i, queries[row * queryWidth + i]);
      }
      float[] own = new float[queryWidth];
      System.arraycopy(expected, row * queryWidth, own, 0, queryWidth);
      check(table(row), queryArray, cache, work, attended, output, heads, at(own));
      for (int i = 0; i < queryWidth; i++) {
        assertEquals(
            together[row * queryWidth + i], attended.get(i), 1e-5, "row " + row + ", " + i);
      }
    }
  }

  private static IntFunction<Float> at(float[] expected) {
    return i -> i < expected.length ? expected[i] : Float.NaN;
  }

  private void check(
      RowTable rows,
      FloatArray queries,
      IntArray cache,
      FloatArray work,
      FloatArray attended,
      KernelRun.Output output,
      int heads,
      IntFunction<Float> expected) {
    int items = HeadAttention.items(MOST, heads);
    int workSize = AttentionKernels.workSize(HEAD_SIZE);
    KernelRun.inJava(
        items,
        output,
        expected,
        1e-4,
        (context, lanes) ->
            HeadAttention.attend(
                context,
                rows.data(),
                queries,
                cache,
                table,
                work,
                attended,
                MOST,
                heads,
                KEY_VALUE_HEADS,
                HEAD_SIZE,
                workSize));
    KernelRun.onDevices(
        List.of(new KernelRun.Lay(items, 1, 1, false)),
        new Object[] {rows.data(), queries, cache, table, work, attended},
        output,
        expected,
        1e-4,
        (graph, context, lay) -> {
          graph.task(
              "kernel",
              HeadAttention::attend,
              context,
              rows.data(),
              queries,
              cache,
              table,
              work,
              attended,
              MOST,
              heads,
              KEY_VALUE_HEADS,
              HEAD_SIZE,
              workSize);
          return Map.of("kernel", lay);
        });
  }

  private float[] expected(float[] queries, float[] numbers, int group) {
    int heads = group * KEY_VALUE_HEADS;
    float[] expected = new float[COUNT * heads * HEAD_SIZE];
    for (int row = 0; row < COUNT; row++) {
      for (int head = 0; head < heads; head++) {
        int at = (row * heads + head) * HEAD_SIZE;
        int key = head / group * HEAD_SIZE;
        float[] weights = new float[positions[row] + 1];
        for (int p = 0; p < weights.length; p++) {
          for (int i = 0; i < HEAD_SIZE; i++) {
            weights[p] += queries[at + i] * numbers[number(row, p) + key + i];
          }
        }
        weights = ScalarTwins.shares(weights);
        for (int p = 0; p < weights.length; p++) {
          for (int i = 0; i < HEAD_SIZE; i++) {
            expected[at + i] += weights[p] * numbers[number(row, p) + KEY_VALUE_WIDTH + key + i];
          }
        }
      }
    }
    return expected;
  }

  /** Where the numbers of a position of a row begin. */
  private int number(int row, int position) {
    return (plane(row, position) * LENGTH + position) * 2 * KEY_VALUE_WIDTH;
  }
}
