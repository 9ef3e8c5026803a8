package dev.muninn.tornado.kernel;

import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.math.TornadoMath;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * Attention of every row over the stored positions up to its own, by several lanes, in one pass: a
 * greater score than any before scales down what has been summed so far. Heads that share keys and
 * values stand side by side, so that they find them in the same cache.
 */
public final class AttentionKernels {
  /** Most parts that the positions of a row are split into. */
  static final int MOST_PARTS = 32;

  /** Pairs of columns of a head that a lane keeps in registers. */
  private static final int PAIRS = 4;

  /** Lanes of a warp. */
  public static final int WARP = 32;

  static final float LEAST = -3.4e38f;

  private AttentionKernels() {}

  /** Floats that a head of a row, or a part of it, works in. */
  public static int workSize(int headSize) {
    return Math.max(HeadAttention.WORK, headSize + 2);
  }

  /** Lanes of {@link #attendPart} that keep a head in registers, at least so many. */
  public static int lanes(int headSize, int least) {
    return Math.max(least, Integer.highestOneBit(Math.ceilDiv(headSize, 2 * PAIRS) * 2 - 1));
  }

  /** Parts that each row's positions are split into: few rows leave the device room for many. */
  static int parts(int count, int mostRows) {
    int parts = count > 0 ? mostRows / count : 1;
    return parts < MOST_PARTS ? parts : MOST_PARTS;
  }

  /**
   * Attention over a part of the positions; {@link #combine} makes one of all parts. An item is a
   * part of a head of a row. Its lanes read a key side by side, and each keeps its columns of the
   * weighted sum in registers.
   *
   * @param queries turned and scaled, [rows, heads * headSize]
   * @param work [mostRows * heads, {@link #workSize}]: greatest score, sum of powers, weighted sum
   * @param keyValueHeads heads of keys and values, each read by as many neighbouring heads
   * @param lanes of {@link #lanes}; a workgroup is an item
   */
  public static void attendPart(
      KernelContext context,
      IntArray rows,
      FloatArray queries,
      IntArray cache,
      FloatArray table,
      FloatArray work,
      int mostRows,
      int heads,
      int keyValueHeads,
      int headSize,
      int workSize,
      int lanes) {
    int index = context.globalIdx;
    part(
        context,
        index,
        rows,
        queries,
        cache,
        table,
        work,
        mostRows,
        heads,
        keyValueHeads,
        headSize,
        workSize,
        lanes,
        0);
  }

  /**
   * The same on CUDA, by warps, of which a workgroup may have any number; the parameters are those
   * of {@link #attendPart}.
   */
  public static void attendPartByWarps(
      KernelContext context,
      IntArray rows,
      FloatArray queries,
      IntArray cache,
      FloatArray table,
      FloatArray work,
      int mostRows,
      int heads,
      int keyValueHeads,
      int headSize,
      int workSize) {
    int index = context.globalIdx;
    part(
        context,
        index,
        rows,
        queries,
        cache,
        table,
        work,
        mostRows,
        heads,
        keyValueHeads,
        headSize,
        workSize,
        WARP,
        1);
  }

  private static void part(
      KernelContext context,
      int index,
      IntArray rows,
      FloatArray queries,
      IntArray cache,
      FloatArray table,
      FloatArray work,
      int mostRows,
      int heads,
      int keyValueHeads,
      int headSize,
      int workSize,
      int lanes,
      int cuda) {
    int item = index / lanes;
    int lane = index % lanes;
    int count = rows.get(RowTable.ROWS);
    int parts = parts(count, mostRows);
    int head = item % heads;
    int row = item / heads / parts;
    int part = item / heads % parts;
    if (row < count) {
      int keyValueWidth = keyValueHeads * headSize;
      int key = head / (heads / keyValueHeads) * headSize;
      int value = keyValueWidth + key;
      int query = (row * heads + head) * headSize;
      int length = rows.get(RowTable.positions(mostRows) + row) + 1;
      int units = rows.get(RowTable.units(mostRows) + row);
      int begin = rows.get(RowTable.runBegins(mostRows) + row);
      int end = rows.get(RowTable.runEnds(mostRows) + row);
      int size = (length + parts - 1) / parts;
      int partFirst = part * size;
      int partLast = partFirst + size < length ? partFirst + size : length;
      int pairs = headSize / 2;
      int c0 = 2 * lane;
      int c1 = 2 * (lane + lanes);
      int c2 = 2 * (lane + 2 * lanes);
      int c3 = 2 * (lane + 3 * lanes);
      float q0 = 0;
      float q1 = 0;
      float q2 = 0;
      float q3 = 0;
      float q4 = 0;
      float q5 = 0;
      float q6 = 0;
      float q7 = 0;
      if (c0 < headSize) {
        q0 = queries.get(query + c0);
        q1 = queries.get(query + c0 + 1);
      }
      if (pairs > lanes && c1 < headSize) {
        q2 = queries.get(query + c1);
        q3 = queries.get(query + c1 + 1);
      }
      if (pairs > 2 * lanes && c2 < headSize) {
        q4 = queries.get(query + c2);
        q5 = queries.get(query + c2 + 1);
      }
      if (pairs > 3 * lanes && c3 < headSize) {
        q6 = queries.get(query + c3);
        q7 = queries.get(query + c3 + 1);
      }
      float greatest = LEAST;
      float sum = 0;
      float a0 = 0;
      float a1 = 0;
      float a2 = 0;
      float a3 = 0;
      float a4 = 0;
      float a5 = 0;
      float a6 = 0;
      float a7 = 0;
      for (int run = begin; run < end; run++) {
        int at = RowTable.runs(mostRows) + RowTable.RUN * run;
        int base = rows.get(at + 1);
        int first = rows.get(at);
        int last = length;
        if (run + 1 < end) {
          last = rows.get(at + RowTable.RUN);
        }
        first = first < partFirst ? partFirst : first;
        last = last < partLast ? last : partLast;
        for (int position = first; position < last; position++) {
          int from = (base + position * units) * keyValueWidth;
          float score = 0;
          if (c0 < headSize) {
            score += q0 * CacheFormat.even(cache, table, units, from, key + c0);
            score += q1 * CacheFormat.odd(cache, table, units, from, key + c0);
          }
          if (pairs > lanes && c1 < headSize) {
            score += q2 * CacheFormat.even(cache, table, units, from, key + c1);
            score += q3 * CacheFormat.odd(cache, table, units, from, key + c1);
          }
          if (pairs > 2 * lanes && c2 < headSize) {
            score += q4 * CacheFormat.even(cache, table, units, from, key + c2);
            score += q5 * CacheFormat.odd(cache, table, units, from, key + c2);
          }
          if (pairs > 3 * lanes && c3 < headSize) {
            score += q6 * CacheFormat.even(cache, table, units, from, key + c3);
            score += q7 * CacheFormat.odd(cache, table, units, from, key + c3);
          }
          if (cuda != 0) {
            score = context.simdSum(score);
          } else {
            score = Lanes.sum(context, score, lane, lanes);
          }
          float most = TornadoMath.max(greatest, score);
          float kept = TornadoMath.exp(greatest - most);
          float weight = TornadoMath.exp(score - most);
          greatest = most;
          sum = sum * kept + weight;
          if (c0 < headSize) {
            a0 = a0 * kept + weight * CacheFormat.even(cache, table, units, from, value + c0);
            a1 = a1 * kept + weight * CacheFormat.odd(cache, table, units, from, value + c0);
          }
          if (pairs > lanes && c1 < headSize) {
            a2 = a2 * kept + weight * CacheFormat.even(cache, table, units, from, value + c1);
            a3 = a3 * kept + weight * CacheFormat.odd(cache, table, units, from, value + c1);
          }
          if (pairs > 2 * lanes && c2 < headSize) {
            a4 = a4 * kept + weight * CacheFormat.even(cache, table, units, from, value + c2);
            a5 = a5 * kept + weight * CacheFormat.odd(cache, table, units, from, value + c2);
          }
          if (pairs > 3 * lanes && c3 < headSize) {
            a6 = a6 * kept + weight * CacheFormat.even(cache, table, units, from, value + c3);
            a7 = a7 * kept + weight * CacheFormat.odd(cache, table, units, from, value + c3);
          }
        }
      }
      int to = item * workSize;
      if (lane == 0) {
        work.set(to, greatest);
        work.set(to + 1, sum);
      }
      to += 2;
      if (c0 < headSize) {
        work.set(to + c0, a0);
        work.set(to + c0 + 1, a1);
      }
      if (pairs > lanes && c1 < headSize) {
        work.set(to + c1, a2);
        work.set(to + c1 + 1, a3);
      }
      if (pairs > 2 * lanes && c2 < headSize) {
        work.set(to + c2, a4);
        work.set(to + c2 + 1, a5);
      }
      if (pairs > 3 * lanes && c3 < headSize) {
        work.set(to + c3, a6);
        work.set(to + c3 + 1, a7);
      }
    }
  }

  /**
   * The weighted mean of the values from what {@link #attendPart} has made of their parts. An item
   * is a head of a row; each lane computes its own columns.
   *
   * @param work of {@link #attendPart}
   * @param attended [rows, heads * headSize]
   */
  public static void combine(
      KernelContext context,
      IntArray rows,
      FloatArray work,
      FloatArray attended,
      int mostRows,
      int heads,
      int headSize,
      int workSize,
      int lanes) {
    int item = context.globalIdx / lanes;
    int lane = context.globalIdx % lanes;
    int head = item % heads;
    int row = item / heads;
    int count = rows.get(RowTable.ROWS);
    if (row < count) {
      int parts = parts(count, mostRows);
      int first = row * parts;
      float most = LEAST;
      for (int part = 0; part < parts; part++) {
        most = TornadoMath.max(most, work.get(((first + part) * heads + head) * workSize));
      }
      float sum = 0;
      for (int part = 0; part < parts; part++) {
        int from = ((first + part) * heads + head) * workSize;
        sum += work.get(from + 1) * TornadoMath.exp(work.get(from) - most);
      }
      float share = 1 / sum;
      for (int i = lane; i < headSize; i += lanes) {
        float mean = 0;
        for (int part = 0; part < parts; part++) {
          int from = ((first + part) * heads + head) * workSize;
          mean += work.get(from + 2 + i) * (TornadoMath.exp(work.get(from) - most) * share);
        }
        attended.set(item * headSize + i, mean);
      }
    }
  }
}
