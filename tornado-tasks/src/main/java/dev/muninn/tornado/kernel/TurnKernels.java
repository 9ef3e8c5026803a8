package dev.muninn.tornado.kernel;

import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.math.TornadoMath;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * What comes before attention's softmax: norms, biases and rotary positions of queries and keys,
 * and storing keys and values by {@link CacheFormat}.
 */
public final class TurnKernels {
  /** Columns i and i + head size / 2 are turned together; without it 2i and 2i + 1 are. */
  public static final int HALVES = 1;

  /** A norm over all of a row's queries. */
  public static final int QUERY_NORM = 2;

  /** A norm over all of a row's keys. */
  public static final int KEY_NORM = 4;

  private TurnKernels() {}

  /**
   * A query or key, turned by its position.
   *
   * @param column among a row's queries and, behind them, keys
   * @param factor of the norm over them, or 1
   * @param biases where biases begin in {@code vectors}
   * @param angle where the position begins in {@code rotary}
   */
  static float turned(
      FloatArray projected,
      int from,
      int column,
      float factor,
      FloatArray vectors,
      int biases,
      FloatArray rotary,
      int angle,
      int headSize,
      int flags) {
    int within = column % headSize;
    int halfSize = headSize / 2;
    int pair = within / 2;
    int first = column - within + 2 * pair;
    int second = first + 1;
    if ((flags & HALVES) != 0) {
      pair = within % halfSize;
      first = column - within + pair;
      second = first + halfSize;
    }
    float a =
        projected.get(from + first) * factor * vectors.get(first) + vectors.get(biases + first);
    float b =
        projected.get(from + second) * factor * vectors.get(second) + vectors.get(biases + second);
    float cosine = rotary.get(angle + 2 * pair);
    float sine = rotary.get(angle + 2 * pair + 1);
    float result = a * cosine - b * sine;
    if (column == second) {
      result = b * cosine + a * sine;
    }
    return result;
  }

  /**
   * Turns queries and keys by their positions, and stores keys and values. A workgroup computes a
   * row. Queries come out scaled by {@code 1 / sqrt(head size)}.
   *
   * @param projected queries, keys and values, [rows, queryWidth + 2 * keyValueWidth]
   * @param vectors scale of the norm of queries, of keys; bias of queries, of keys; epsilon of the
   *     norm of queries, of keys
   * @param rotary cosine and sine of each pair's angle, [context, head size]
   * @param queries [rows, queryWidth]
   * @param cache keys and values of all sequences; a unit is {@code keyValueWidth} ints
   */
  public static void turn(
      KernelContext context,
      IntArray rows,
      FloatArray projected,
      FloatArray vectors,
      FloatArray rotary,
      FloatArray table,
      FloatArray queries,
      IntArray cache,
      int mostRows,
      int queryWidth,
      int keyValueWidth,
      int headSize,
      int flags,
      int lanes) {
    int row = context.globalIdx / lanes;
    int lane = context.globalIdx % lanes;
    if (row < rows.get(RowTable.ROWS)) {
      int from = row * (queryWidth + 2 * keyValueWidth);
      int biases = queryWidth + keyValueWidth;
      int values = from + queryWidth + keyValueWidth;
      float queryFactor = 1;
      float keyFactor = 1;
      if ((flags & QUERY_NORM) != 0) {
        float sum = JoinKernels.squares(projected, from, queryWidth, lane, lanes);
        sum = Lanes.sum(context, sum, lane, lanes);
        queryFactor = JoinKernels.factor(sum, queryWidth, vectors.get(2 * biases));
      }
      if ((flags & KEY_NORM) != 0) {
        float sum = JoinKernels.squares(projected, from + queryWidth, keyValueWidth, lane, lanes);
        sum = Lanes.sum(context, sum, lane, lanes);
        keyFactor = JoinKernels.factor(sum, keyValueWidth, vectors.get(2 * biases + 1));
      }
      int angle = rows.get(RowTable.positions(mostRows) + row) * headSize;
      float share = 1 / TornadoMath.sqrt(headSize);
      for (int i = lane; i < queryWidth; i += lanes) {
        float query =
            turned(
                projected, from, i, queryFactor, vectors, biases, rotary, angle, headSize, flags);
        queries.set(row * queryWidth + i, query * share);
      }
      int units = rows.get(RowTable.units(mostRows) + row);
      int stored = rows.get(RowTable.cacheUnits(mostRows) + row) * keyValueWidth;
      for (int i = 2 * lane; i < keyValueWidth; i += 2 * lanes) {
        int column = queryWidth + i;
        float even =
            turned(
                projected, from, column, keyFactor, vectors, biases, rotary, angle, headSize,
                flags);
        float odd =
            turned(
                projected,
                from,
                column + 1,
                keyFactor,
                vectors,
                biases,
                rotary,
                angle,
                headSize,
                flags);
        CacheFormat.set(cache, table, units, stored, i, even, odd);
        CacheFormat.set(
            cache,
            table,
            units,
            stored,
            keyValueWidth + i,
            projected.get(values + i),
            projected.get(values + i + 1));
      }
    }
  }
}
