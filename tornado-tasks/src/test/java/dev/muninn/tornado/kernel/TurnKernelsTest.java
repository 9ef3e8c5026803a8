package dev.muninn.tornado.kernel;

import dev.muninn.kernel.RotaryTable;
import dev.muninn.model.Rotary;
import java.util.Arrays;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/** Turning and storing against the engine's scalar twins, with heads in groups. */
class TurnKernelsTest extends KernelFixture {
  private static final float EPSILON = 1e-3f;

  @ParameterizedTest
  @CsvSource({
    "PAIRS, 3, false, false",
    "HALVES, 3, false, false",
    "HALVES, 6, true, false",
    "PAIRS, 6, false, true",
    "HALVES, 9, true, true"
  })
  void turn(Rotary.Layout layout, int heads, boolean queryNorm, boolean keyNorm) {
    final int queryWidth = heads * HEAD_SIZE;
    final int both = queryWidth + KEY_VALUE_WIDTH;
    final int projectedWidth = both + KEY_VALUE_WIDTH;
    RowTable rows = rows();
    RotaryTable angles = new RotaryTable(Rotary.of(layout, HEAD_SIZE, 50_000));
    angles.extend(CONTEXT);
    FloatArray rotary = new FloatArray(CONTEXT * HEAD_SIZE);
    for (int position = 0; position < CONTEXT; position++) {
      for (int pair = 0; pair < HEAD_SIZE / 2; pair++) {
        rotary.set(position * HEAD_SIZE + 2 * pair, angles.cosine(position, pair));
        rotary.set(position * HEAD_SIZE + 2 * pair + 1, angles.sine(position, pair));
      }
    }
    float[] projected = values(MOST_ROWS * projectedWidth);
    float[] vectors = values(2 * both + 2);
    if (!queryNorm) {
      Arrays.fill(vectors, 0, queryWidth, 1);
    }
    if (!keyNorm) {
      Arrays.fill(vectors, queryWidth, both, 1);
    }
    vectors[2 * both] = EPSILON;
    vectors[2 * both + 1] = EPSILON;
    float[] expectedQueries = new float[ROWS * queryWidth];
    float[] expectedCache = new float[ROWS * CONTEXT * 2 * KEY_VALUE_WIDTH];
    Arrays.fill(expectedCache, Float.NaN);
    for (int row = 0; row < ROWS; row++) {
      float[] own = ScalarTwins.part(projected, row * projectedWidth, projectedWidth);
      float[] queries = turned(own, vectors, 0, queryWidth, both, queryNorm, angles, row);
      for (int i = 0; i < queryWidth; i++) {
        expectedQueries[row * queryWidth + i] = queries[i] / (float) Math.sqrt(HEAD_SIZE);
      }
      int at = (row * CONTEXT + POSITIONS[row]) * 2 * KEY_VALUE_WIDTH;
      float[] keys = turned(own, vectors, queryWidth, KEY_VALUE_WIDTH, both, keyNorm, angles, row);
      System.arraycopy(keys, 0, expectedCache, at, KEY_VALUE_WIDTH);
      System.arraycopy(own, both, expectedCache, at + KEY_VALUE_WIDTH, KEY_VALUE_WIDTH);
    }
    FloatArray projectedArray = FloatArray.fromArray(projected);
    FloatArray vectorArray = FloatArray.fromArray(vectors);
    FloatArray queries = new FloatArray(MOST_ROWS * queryWidth);
    IntArray cache = cache(new float[expectedCache.length]);
    int flags =
        (layout == Rotary.Layout.HALVES ? TurnKernels.HALVES : 0)
            | (queryNorm ? TurnKernels.QUERY_NORM : 0)
            | (keyNorm ? TurnKernels.KEY_NORM : 0);
    Object[] arguments = {rows.data(), projectedArray, vectorArray, rotary, table, queries, cache};
    KernelRun.Call call =
        (context, lanes) ->
            TurnKernels.turn(
                context,
                rows.data(),
                projectedArray,
                vectorArray,
                rotary,
                table,
                queries,
                cache,
                MOST_ROWS,
                queryWidth,
                KEY_VALUE_WIDTH,
                HEAD_SIZE,
                flags,
                lanes);
    KernelRun.Task task =
        (graph, context, lanes) ->
            graph.task(
                "kernel",
                TurnKernels::turn,
                context,
                rows.data(),
                projectedArray,
                vectorArray,
                rotary,
                table,
                queries,
                cache,
                MOST_ROWS,
                queryWidth,
                KEY_VALUE_WIDTH,
                HEAD_SIZE,
                flags,
                lanes);
    KernelRun.check(
        MOST_ROWS,
        arguments,
        queries,
        i -> i < expectedQueries.length ? expectedQueries[i] : Float.NaN,
        1e-4,
        call,
        task);
    KernelRun.Output stored =
        new KernelRun.Output(
            cache, expectedCache.length, () -> cache.init(0), index -> read(cache, index));
    // BF16 numbers up to 16 lie 1/16 apart, so that one is off by half of that.
    KernelRun.check(
        MOST_ROWS,
        arguments,
        stored,
        i -> rowOf(i) == 1 ? Float.NaN : expectedCache[i],
        1e-4,
        call,
        task);
    KernelRun.check(
        MOST_ROWS,
        arguments,
        stored,
        i -> rowOf(i) == 1 ? expectedCache[i] : Float.NaN,
        0.0313,
        call,
        task);
  }

  private static int rowOf(int index) {
    return index / (CONTEXT * 2 * KEY_VALUE_WIDTH);
  }

  private static float[] turned(
      float[] projected,
      float[] vectors,
      int from,
      int size,
      int biases,
      boolean normed,
      RotaryTable angles,
      int row) {
    float[] all = ScalarTwins.part(projected, from, size);
    if (normed) {
      all = ScalarTwins.norm(all, ScalarTwins.part(vectors, from, size), EPSILON);
    }
    for (int head = 0; head < size; head += HEAD_SIZE) {
      float[] turned =
          ScalarTwins.rotate(
              ScalarTwins.part(all, head, HEAD_SIZE),
              ScalarTwins.part(vectors, biases + from + head, HEAD_SIZE),
              angles,
              POSITIONS[row]);
      System.arraycopy(turned, 0, all, head, HEAD_SIZE);
    }
    return all;
  }
}
