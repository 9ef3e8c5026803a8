package dev.muninn.tornado.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.muninn.tornado.TestDevices;
import java.util.List;
import java.util.Map;
import java.util.function.IntFunction;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/** Attention against sums in plain loops, with heads in groups: whole, and in parts. */
class AttentionKernelsTest extends KernelFixture {
  /** At least two: a lane keeps eight columns. */
  private static final int FEW_LANES = Math.max(2, TestDevices.lanes(2));

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 5})
  void attention(int group) {
    // Each row's positions in one part, in two, and in more parts than it has positions.
    check(group, MOST_ROWS);
    check(group, 2 * ROWS + 1);
    check(group, 20 * ROWS);
  }

  private void check(int group, int mostRows) {
    final int heads = group * KEY_VALUE_HEADS;
    final int queryWidth = heads * HEAD_SIZE;
    RowTable rows = rows(mostRows);
    float[] queries = values(mostRows * queryWidth);
    float[] cache = values(ROWS * CONTEXT * 2 * KEY_VALUE_WIDTH);
    FloatArray queryArray = FloatArray.fromArray(queries);
    IntArray cacheArray = cache(cache);
    int workSize = AttentionKernels.workSize(HEAD_SIZE);
    FloatArray work = new FloatArray(mostRows * heads * workSize);
    FloatArray attended = new FloatArray(mostRows * queryWidth);
    float[] expected = expected(queries, cache, group);
    IntFunction<Float> at = i -> i < expected.length ? expected[i] : Float.NaN;
    KernelRun.Output output = KernelRun.Output.of(attended);
    KernelRun.inJava(
        HeadAttention.items(mostRows, heads),
        output,
        at,
        1e-4,
        (context, lanes) ->
            HeadAttention.attend(
                context,
                rows.data(),
                queryArray,
                cacheArray,
                table,
                work,
                attended,
                mostRows,
                heads,
                KEY_VALUE_HEADS,
                HEAD_SIZE,
                workSize));
    Object[] arguments = {rows.data(), queryArray, cacheArray, table, work, attended};
    KernelRun.onDevices(
        List.of(new KernelRun.Lay(HeadAttention.items(mostRows, heads), 1, 1, false)),
        arguments,
        output,
        at,
        1e-4,
        (graph, context, lay) -> {
          graph.task(
              "kernel",
              HeadAttention::attend,
              context,
              rows.data(),
              queryArray,
              cacheArray,
              table,
              work,
              attended,
              mostRows,
              heads,
              KEY_VALUE_HEADS,
              HEAD_SIZE,
              workSize);
          return Map.of("kernel", lay);
        });
    KernelRun.onDevices(
        List.of(
            new KernelRun.Lay(mostRows * heads, FEW_LANES, FEW_LANES, false),
            new KernelRun.Lay(mostRows * heads, 32, 32, false),
            new KernelRun.Lay(mostRows * heads, 32, 256, true)),
        arguments,
        output,
        at,
        1e-4,
        (graph, context, lay) -> {
          if (lay.warps()) {
            graph.task(
                "kernel",
                AttentionKernels::attendPartByWarps,
                context,
                rows.data(),
                queryArray,
                cacheArray,
                table,
                work,
                mostRows,
                heads,
                KEY_VALUE_HEADS,
                HEAD_SIZE,
                workSize);
          } else {
            graph.task(
                "kernel",
                AttentionKernels::attendPart,
                context,
                rows.data(),
                queryArray,
                cacheArray,
                table,
                work,
                mostRows,
                heads,
                KEY_VALUE_HEADS,
                HEAD_SIZE,
                workSize,
                lay.lanes());
          }
          graph.task(
              "combine",
              AttentionKernels::combine,
              context,
              rows.data(),
              work,
              attended,
              mostRows,
              heads,
              HEAD_SIZE,
              workSize,
              lay.lanes());
          return Map.of("kernel", lay, "combine", lay);
        });
  }

  private static float[] expected(float[] queries, float[] cache, int group) {
    int heads = group * KEY_VALUE_HEADS;
    float[] expected = new float[ROWS * heads * HEAD_SIZE];
    for (int row = 0; row < ROWS; row++) {
      for (int head = 0; head < heads; head++) {
        int at = (row * heads + head) * HEAD_SIZE;
        int key = head / group * HEAD_SIZE;
        float[] weights = new float[POSITIONS[row] + 1];
        for (int p = 0; p < weights.length; p++) {
          for (int i = 0; i < HEAD_SIZE; i++) {
            weights[p] +=
                queries[at + i] * cache[(row * CONTEXT + p) * 2 * KEY_VALUE_WIDTH + key + i];
          }
        }
        weights = ScalarTwins.shares(weights);
        for (int p = 0; p < weights.length; p++) {
          for (int i = 0; i < HEAD_SIZE; i++) {
            int value = ((row * CONTEXT + p) * 2 + 1) * KEY_VALUE_WIDTH + key + i;
            expected[at + i] += weights[p] * cache[value];
          }
        }
      }
    }
    return expected;
  }

  /** A lane keeps four pairs of columns. */
  @Test
  void lanesKeepTheirColumnsInRegisters() {
    for (int headSize = 2; headSize <= 1024; headSize += 2) {
      for (int least : new int[] {2, 32}) {
        int lanes = AttentionKernels.lanes(headSize, least);
        assertEquals(1, Integer.bitCount(lanes));
        assertEquals(Math.max(lanes, least), lanes);
        assertEquals(headSize, Math.min(headSize, 8 * lanes), headSize + " on " + lanes);
        assertEquals(true, lanes == least || 4 * lanes < headSize, headSize + " on " + lanes);
      }
    }
  }
}
