package dev.muninn.tornado.kernel;

import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.math.TornadoMath;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * What attention does between its two products: norms, biases and rotary positions of queries and
 * keys, storing keys and values by {@link CacheFormat}, and the softmax over what is stored.
 */
public final class AttentionKernels {
  /** Columns i and i + head size / 2 are turned together; without it 2i and 2i + 1 are. */
  public static final int HALVES = 1;

  /** A norm over all of a row's queries. */
  public static final int QUERY_NORM = 2;

  /** A norm over all of a row's keys. */
  public static final int KEY_NORM = 4;

  private AttentionKernels() {}

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

  /**
   * Scores of a lane's positions of a row and head, and the greatest of them.
   *
   * @param query where the head's query begins
   * @param key number at which the head's keys begin in a position
   */
  private static float scores(
      IntArray rows,
      int row,
      int mostRows,
      int query,
      int key,
      FloatArray queries,
      IntArray cache,
      FloatArray table,
      FloatArray scores,
      int scoresFrom,
      int keyValueWidth,
      int headSize,
      int lane,
      int lanes) {
    int length = rows.get(RowTable.positions(mostRows) + row) + 1;
    int units = rows.get(RowTable.units(mostRows) + row);
    int begin = rows.get(RowTable.runBegins(mostRows) + row);
    int end = rows.get(RowTable.runEnds(mostRows) + row);
    float greatest = -3.4e38f;
    for (int run = begin; run < end; run++) {
      int at = RowTable.runs(mostRows) + 2 * run;
      int first = rows.get(at);
      int base = rows.get(at + 1);
      int last = length;
      if (run + 1 < end) {
        last = rows.get(at + 2);
      }
      for (int position = first + lane; position < last; position += lanes) {
        int from = (base + position * units) * keyValueWidth;
        float sum = 0;
        for (int i = 0; i < headSize; i++) {
          sum += queries.get(query + i) * CacheFormat.get(cache, table, units, from, key + i);
        }
        scores.set(scoresFrom + position, sum);
        greatest = TornadoMath.max(greatest, sum);
      }
    }
    return greatest;
  }

  /** Replaces the scores of a lane's positions by exp(score - greatest); their sum. */
  private static float exponentiate(
      FloatArray scores, int scoresFrom, int length, float greatest, int lane, int lanes) {
    float sum = 0;
    for (int position = lane; position < length; position += lanes) {
      float power = TornadoMath.exp(scores.get(scoresFrom + position) - greatest);
      scores.set(scoresFrom + position, power);
      sum += power;
    }
    return sum;
  }

  /**
   * The weighted mean of the values, in a lane's columns of a head.
   *
   * @param value number at which the head's values begin in a position
   * @param to where the head's mean begins
   */
  private static void mix(
      IntArray rows,
      int row,
      int mostRows,
      int value,
      IntArray cache,
      FloatArray table,
      FloatArray scores,
      int scoresFrom,
      float sum,
      FloatArray attended,
      int to,
      int keyValueWidth,
      int headSize,
      int lane,
      int lanes) {
    int length = rows.get(RowTable.positions(mostRows) + row) + 1;
    int units = rows.get(RowTable.units(mostRows) + row);
    int begin = rows.get(RowTable.runBegins(mostRows) + row);
    int end = rows.get(RowTable.runEnds(mostRows) + row);
    for (int i = lane; i < headSize; i += lanes) {
      attended.set(to + i, 0);
    }
    float share = 1 / sum;
    for (int run = begin; run < end; run++) {
      int at = RowTable.runs(mostRows) + 2 * run;
      int first = rows.get(at);
      int base = rows.get(at + 1);
      int last = length;
      if (run + 1 < end) {
        last = rows.get(at + 2);
      }
      for (int position = first; position < last; position++) {
        int from = (base + position * units) * keyValueWidth;
        float weight = scores.get(scoresFrom + position) * share;
        for (int i = lane; i < headSize; i += lanes) {
          float number = CacheFormat.get(cache, table, units, from, value + i);
          attended.set(to + i, attended.get(to + i) + weight * number);
        }
      }
    }
  }

  /**
   * Attention of every row over the stored positions up to its own. An item is a head of a row.
   *
   * @param queries turned and scaled, [rows, heads * headSize]
   * @param scores to work in, [rows * heads, context]
   * @param attended [rows, heads * headSize]
   * @param keyValueHeads heads of keys and values, each read by as many neighbouring heads
   */
  public static void attend(
      KernelContext context,
      IntArray rows,
      FloatArray queries,
      IntArray cache,
      FloatArray table,
      FloatArray scores,
      FloatArray attended,
      int mostRows,
      int heads,
      int keyValueHeads,
      int headSize,
      int contextLength,
      int lanes) {
    int item = context.globalIdx / lanes;
    int lane = context.globalIdx % lanes;
    int row = item / heads;
    int head = item % heads;
    int keyValueWidth = keyValueHeads * headSize;
    if (row < rows.get(RowTable.ROWS)) {
      int from = item * contextLength;
      int query = item * headSize;
      int key = head / (heads / keyValueHeads) * headSize;
      int value = keyValueWidth + key;
      int length = rows.get(RowTable.positions(mostRows) + row) + 1;
      float greatest =
          scores(
              rows,
              row,
              mostRows,
              query,
              key,
              queries,
              cache,
              table,
              scores,
              from,
              keyValueWidth,
              headSize,
              lane,
              lanes);
      greatest = Lanes.greatest(context, greatest, lane, lanes);
      if (lanes > 1) {
        // A lane's positions in runs are not those of the whole row.
        context.globalBarrier();
      }
      float sum = exponentiate(scores, from, length, greatest, lane, lanes);
      sum = Lanes.sum(context, sum, lane, lanes);
      if (lanes > 1) {
        context.globalBarrier();
      }
      mix(
          rows,
          row,
          mostRows,
          value,
          cache,
          table,
          scores,
          from,
          sum,
          attended,
          query,
          keyValueWidth,
          headSize,
          lane,
          lanes);
    }
  }
}
