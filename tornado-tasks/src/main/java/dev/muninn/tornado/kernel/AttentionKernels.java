package dev.muninn.tornado.kernel;

import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.math.TornadoMath;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;
import uk.ac.manchester.tornado.api.types.arrays.ShortArray;

/**
 * Queries, keys and values with bias and rotary embedding, and attention over what is stored, by
 * {@link CacheFormat}.
 */
public final class AttentionKernels {
  private AttentionKernels() {}

  /**
   * Puts two neighbouring outputs of a row where they belong: queries, scaled by {@code 1 /
   * sqrt(head size)}, to {@code queries}; keys and values to the cache.
   *
   * @param pair index of the two among the {@code 3 * width / 2} pairs of a row
   * @param vectors the bias of queries, then of keys, stands from {@code 4 * width} on
   * @param rotary cosine and sine of each pair's angle, [context, head size]
   */
  public static void store(
      IntArray rows,
      int row,
      int mostRows,
      int pair,
      float even,
      float odd,
      FloatArray vectors,
      FloatArray table,
      FloatArray rotary,
      FloatArray queries,
      IntArray cache,
      int width,
      int headSize) {
    int output = 2 * pair;
    int position = rows.get(RowTable.positions(mostRows) + row);
    int units = rows.get(RowTable.units(mostRows) + row);
    int stored = rows.get(RowTable.cacheUnits(mostRows) + row) * width;
    float first = even;
    float second = odd;
    if (output < 2 * width) {
      int angle = position * headSize + output % headSize;
      float cosine = rotary.get(angle);
      float sine = rotary.get(angle + 1);
      float a = even + vectors.get(4 * width + output);
      float b = odd + vectors.get(4 * width + output + 1);
      first = a * cosine - b * sine;
      second = b * cosine + a * sine;
    }
    if (output < width) {
      float factor = 1 / TornadoMath.sqrt(headSize);
      queries.set(row * width + output, first * factor);
      queries.set(row * width + output + 1, second * factor);
    } else {
      CacheFormat.set(cache, table, units, stored, output - width, first, second);
    }
  }

  /**
   * Queries, keys and values of normed rows. An item is a pair of outputs, of all rows.
   *
   * @param stream rows before their norm
   * @param factors the norm's factor of each row
   * @param vectors the block's: norm scales 1 to 4, bias of queries, bias of keys, [6 * width]
   * @param floats or {@code halves}: weights, [3 * width, width]
   */
  public static void queriesKeysValues(
      KernelContext context,
      IntArray rows,
      FloatArray stream,
      FloatArray factors,
      FloatArray vectors,
      FloatArray floats,
      ShortArray halves,
      FloatArray table,
      FloatArray rotary,
      FloatArray queries,
      IntArray cache,
      int mostRows,
      int width,
      int headSize,
      int format,
      int lanes) {
    int pair = context.globalIdx / lanes;
    int lane = context.globalIdx % lanes;
    int weights = 2 * pair * width;
    int count = rows.get(RowTable.ROWS);
    for (int row = 0; row < count; row++) {
      float even =
          Products.scaledDot(
              format,
              floats,
              halves,
              table,
              weights,
              stream,
              row * width,
              vectors,
              0,
              width,
              lane,
              lanes);
      float odd =
          Products.scaledDot(
              format,
              floats,
              halves,
              table,
              weights + width,
              stream,
              row * width,
              vectors,
              0,
              width,
              lane,
              lanes);
      if (lanes > 1) {
        float[] shared = context.allocateFloatLocalArray(lanes);
        even = Lanes.sum(context, even, shared, lane, lanes);
        odd = Lanes.sum(context, odd, shared, lane, lanes);
      }
      if (lane == 0) {
        float factor = factors.get(row);
        store(
            rows,
            row,
            mostRows,
            pair,
            even * factor,
            odd * factor,
            vectors,
            table,
            rotary,
            queries,
            cache,
            width,
            headSize);
      }
    }
  }

  /** Scores of a lane's positions of a row and head, and the greatest of them. */
  public static float scores(
      IntArray rows,
      int row,
      int mostRows,
      int head,
      FloatArray queries,
      IntArray cache,
      FloatArray table,
      FloatArray scores,
      int scoresFrom,
      int width,
      int headSize,
      int lane,
      int lanes) {
    int length = rows.get(RowTable.positions(mostRows) + row) + 1;
    int units = rows.get(RowTable.units(mostRows) + row);
    int begin = rows.get(RowTable.runBegins(mostRows) + row);
    int end = rows.get(RowTable.runEnds(mostRows) + row);
    int query = row * width + head * headSize;
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
        int key = (base + position * units) * width;
        float sum = 0;
        for (int i = 0; i < headSize; i++) {
          sum +=
              queries.get(query + i)
                  * CacheFormat.get(cache, table, units, key, head * headSize + i);
        }
        scores.set(scoresFrom + position, sum);
        greatest = TornadoMath.max(greatest, sum);
      }
    }
    return greatest;
  }

  /** Replaces the scores of a lane's positions by exp(score - greatest); their sum. */
  public static float exponentiate(
      FloatArray scores, int scoresFrom, int length, float greatest, int lane, int lanes) {
    float sum = 0;
    for (int position = lane; position < length; position += lanes) {
      float power = TornadoMath.exp(scores.get(scoresFrom + position) - greatest);
      scores.set(scoresFrom + position, power);
      sum += power;
    }
    return sum;
  }

  /** The weighted mean of the values, in a lane's columns of a head. */
  public static void mix(
      IntArray rows,
      int row,
      int mostRows,
      int head,
      IntArray cache,
      FloatArray table,
      FloatArray scores,
      int scoresFrom,
      float sum,
      FloatArray attended,
      int width,
      int headSize,
      int lane,
      int lanes) {
    int length = rows.get(RowTable.positions(mostRows) + row) + 1;
    int units = rows.get(RowTable.units(mostRows) + row);
    int begin = rows.get(RowTable.runBegins(mostRows) + row);
    int end = rows.get(RowTable.runEnds(mostRows) + row);
    int to = row * width + head * headSize;
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
        int from = (base + position * units) * width;
        float weight = scores.get(scoresFrom + position) * share;
        for (int i = lane; i < headSize; i += lanes) {
          float value = CacheFormat.get(cache, table, units, from, width + head * headSize + i);
          attended.set(to + i, attended.get(to + i) + weight * value);
        }
      }
    }
  }

  /**
   * Attention of every row over the stored positions up to its own. An item is a head of a row.
   *
   * @param scores to work in, [rows * heads, context]
   * @param attended [rows, width]
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
      int width,
      int headSize,
      int contextLength,
      int lanes) {
    int item = context.globalIdx / lanes;
    int lane = context.globalIdx % lanes;
    int heads = width / headSize;
    int row = item / heads;
    int head = item % heads;
    if (row < rows.get(RowTable.ROWS)) {
      int from = item * contextLength;
      int length = rows.get(RowTable.positions(mostRows) + row) + 1;
      float greatest =
          scores(
              rows, row, mostRows, head, queries, cache, table, scores, from, width, headSize, lane,
              lanes);
      if (lanes > 1) {
        float[] shared = context.allocateFloatLocalArray(lanes);
        greatest = Lanes.greatest(context, greatest, shared, lane, lanes);
        // A lane's positions in runs are not those of the whole row.
        context.globalBarrier();
        float sum = exponentiate(scores, from, length, greatest, lane, lanes);
        sum = Lanes.sum(context, sum, shared, lane, lanes);
        context.globalBarrier();
        mix(
            rows, row, mostRows, head, cache, table, scores, from, sum, attended, width, headSize,
            lane, lanes);
      } else {
        float sum = exponentiate(scores, from, length, greatest, lane, lanes);
        mix(
            rows, row, mostRows, head, cache, table, scores, from, sum, attended, width, headSize,
            lane, lanes);
      }
    }
  }
}
