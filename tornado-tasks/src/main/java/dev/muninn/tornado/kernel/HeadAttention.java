package dev.muninn.tornado.kernel;

import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.math.TornadoMath;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * Attention where an item, a head of eight rows, has a work-item to itself. What eight rows of a
 * sequence all look back on is read and converted once for them: a CPU spends most of its time on
 * that. The rest each row reads for itself. The sums of a row are taken in the same order both
 * ways, and differ in the last bits at most, where a compiler fuses other products with sums.
 */
public final class HeadAttention {
  /** Rows of an item. */
  static final int ROWS = 8;

  /** Positions whose scores are kept at once. */
  private static final int CHUNK = 16;

  /** Behind the scores of a row: the greatest so far, the sum of powers, what is left of both. */
  private static final int GREATEST = CHUNK;

  private static final int SUM = CHUNK + 1;
  private static final int KEPT = CHUNK + 2;

  /** Floats that a head of a row works in. */
  static final int WORK = CHUNK + 3;

  private HeadAttention() {}

  /** Items of so many heads. */
  public static int items(int mostRows, int heads) {
    return Math.ceilDiv(mostRows, ROWS) * heads;
  }

  /**
   * The attention.
   *
   * @param queries turned and scaled, [rows, heads * headSize]
   * @param work [mostRows * heads, {@link AttentionKernels#workSize}]
   * @param attended [rows, heads * headSize]
   * @param keyValueHeads heads of keys and values, each read by as many neighbouring heads
   */
  public static void attend(
      KernelContext context,
      IntArray rows,
      FloatArray queries,
      IntArray cache,
      FloatArray table,
      FloatArray work,
      FloatArray attended,
      int mostRows,
      int heads,
      int keyValueHeads,
      int headSize,
      int workSize) {
    int item = context.globalIdx;
    int head = item % heads;
    int first = item / heads * ROWS;
    int count = rows.get(RowTable.ROWS);
    int last = first + ROWS < count ? first + ROWS : count;
    int width = keyValueHeads * headSize;
    int key = head / (heads / keyValueHeads) * headSize;
    for (int row = first; row < last; row++) {
      int state = (row * heads + head) * workSize;
      int to = (row * heads + head) * headSize;
      work.set(state + GREATEST, AttentionKernels.LEAST);
      work.set(state + SUM, 0);
      for (int i = 0; i < headSize; i++) {
        attended.set(to + i, 0);
      }
    }
    int together = 0;
    if (first + ROWS <= count) {
      together = together(rows, mostRows, first);
    }
    if (together > 0) {
      int units = rows.get(RowTable.units(mostRows) + first);
      int firstRun =
          RowTable.runs(mostRows) + RowTable.RUN * rows.get(RowTable.runBegins(mostRows) + first);
      int start = rows.get(firstRun);
      int base = rows.get(firstRun + 1);
      int state = (first * heads + head) * workSize;
      int to = (first * heads + head) * headSize;
      for (int position = start; position < start + together; position += CHUNK) {
        int from = (base + position * units) * width;
        scoresOfRows(
            queries,
            to,
            heads * headSize,
            cache,
            table,
            units,
            from,
            key,
            width,
            headSize,
            work,
            state,
            heads * workSize);
        for (int row = 0; row < ROWS; row++) {
          weigh(work, state + row * heads * workSize, CHUNK);
        }
        meansOfRows(
            cache,
            table,
            units,
            from,
            width + key,
            width,
            headSize,
            work,
            state,
            heads * workSize,
            attended,
            to,
            heads * headSize);
      }
    }
    for (int row = first; row < last; row++) {
      int units = rows.get(RowTable.units(mostRows) + row);
      int begin = rows.get(RowTable.runBegins(mostRows) + row);
      int end = rows.get(RowTable.runEnds(mostRows) + row);
      int length = rows.get(RowTable.positions(mostRows) + row) + 1;
      int state = (row * heads + head) * workSize;
      int to = (row * heads + head) * headSize;
      for (int run = begin; run < end; run++) {
        int at = RowTable.runs(mostRows) + RowTable.RUN * run;
        int base = rows.get(at + 1);
        int behind = length;
        if (run + 1 < end) {
          behind = rows.get(at + RowTable.RUN);
        }
        int start = rows.get(at);
        if (run == begin) {
          start += together;
        }
        for (int position = start; position < behind; position += CHUNK) {
          int positions = behind - position < CHUNK ? behind - position : CHUNK;
          int from = (base + position * units) * width;
          scores(
              queries, to, cache, table, units, from, key, width, headSize, work, state, positions);
          weigh(work, state, positions);
          means(
              cache,
              table,
              units,
              from,
              width + key,
              width,
              headSize,
              work,
              state,
              positions,
              attended,
              to);
        }
      }
      float share = 1 / work.get(state + SUM);
      for (int i = 0; i < headSize; i++) {
        attended.set(to + i, attended.get(to + i) * share);
      }
    }
  }

  /** Positions of the first run, in whole chunks, that all rows of an item look back on. */
  private static int together(IntArray rows, int mostRows, int first) {
    int firstRun =
        RowTable.runs(mostRows) + RowTable.RUN * rows.get(RowTable.runBegins(mostRows) + first);
    int start = rows.get(firstRun);
    int base = rows.get(firstRun + 1);
    int units = rows.get(RowTable.units(mostRows) + first);
    int end = rows.get(RowTable.positions(mostRows) + first) + 1;
    for (int row = first; row < first + ROWS; row++) {
      int begin = rows.get(RowTable.runBegins(mostRows) + row);
      int at = RowTable.runs(mostRows) + RowTable.RUN * begin;
      int behind = rows.get(RowTable.positions(mostRows) + row) + 1;
      if (begin + 1 < rows.get(RowTable.runEnds(mostRows) + row)) {
        behind = rows.get(at + RowTable.RUN);
      }
      if (rows.get(at) != start
          || rows.get(at + 1) != base
          || rows.get(RowTable.units(mostRows) + row) != units) {
        behind = start;
      }
      end = behind < end ? behind : end;
    }
    return (end - start) / CHUNK * CHUNK;
  }

  /** The products of a query with the keys of a chunk. */
  private static void scores(
      FloatArray queries,
      int query,
      IntArray cache,
      FloatArray table,
      int units,
      int from,
      int key,
      int width,
      int headSize,
      FloatArray work,
      int state,
      int positions) {
    for (int i = 0; i < positions; i++) {
      int at = from + i * units * width;
      float sum = 0;
      for (int c = 0; c < headSize; c += 2) {
        sum += queries.get(query + c) * CacheFormat.even(cache, table, units, at, key + c);
        sum += queries.get(query + c + 1) * CacheFormat.odd(cache, table, units, at, key + c);
      }
      work.set(state + i, sum);
    }
  }

  /** The same of eight rows, for a whole chunk; {@code step} is from row to row. */
  private static void scoresOfRows(
      FloatArray queries,
      int query,
      int queryStep,
      IntArray cache,
      FloatArray table,
      int units,
      int from,
      int key,
      int width,
      int headSize,
      FloatArray work,
      int state,
      int step) {
    for (int i = 0; i < CHUNK; i++) {
      int at = from + i * units * width;
      float s0 = 0;
      float s1 = 0;
      float s2 = 0;
      float s3 = 0;
      float s4 = 0;
      float s5 = 0;
      float s6 = 0;
      float s7 = 0;
      for (int c = 0; c < headSize; c += 2) {
        float even = CacheFormat.even(cache, table, units, at, key + c);
        float odd = CacheFormat.odd(cache, table, units, at, key + c);
        int q = query + c;
        s0 += queries.get(q) * even;
        s0 += queries.get(q + 1) * odd;
        q += queryStep;
        s1 += queries.get(q) * even;
        s1 += queries.get(q + 1) * odd;
        q += queryStep;
        s2 += queries.get(q) * even;
        s2 += queries.get(q + 1) * odd;
        q += queryStep;
        s3 += queries.get(q) * even;
        s3 += queries.get(q + 1) * odd;
        q += queryStep;
        s4 += queries.get(q) * even;
        s4 += queries.get(q + 1) * odd;
        q += queryStep;
        s5 += queries.get(q) * even;
        s5 += queries.get(q + 1) * odd;
        q += queryStep;
        s6 += queries.get(q) * even;
        s6 += queries.get(q + 1) * odd;
        q += queryStep;
        s7 += queries.get(q) * even;
        s7 += queries.get(q + 1) * odd;
      }
      int to = state + i;
      work.set(to, s0);
      work.set(to + step, s1);
      work.set(to + 2 * step, s2);
      work.set(to + 3 * step, s3);
      work.set(to + 4 * step, s4);
      work.set(to + 5 * step, s5);
      work.set(to + 6 * step, s6);
      work.set(to + 7 * step, s7);
    }
  }

  /** Makes weights of the scores of a chunk, relative to the greatest so far. */
  private static void weigh(FloatArray work, int state, int positions) {
    float before = work.get(state + GREATEST);
    float most = before;
    for (int i = 0; i < positions; i++) {
      most = TornadoMath.max(most, work.get(state + i));
    }
    float kept = TornadoMath.exp(before - most);
    float sum = work.get(state + SUM) * kept;
    for (int i = 0; i < positions; i++) {
      float weight = TornadoMath.exp(work.get(state + i) - most);
      work.set(state + i, weight);
      sum += weight;
    }
    work.set(state + GREATEST, most);
    work.set(state + SUM, sum);
    work.set(state + KEPT, kept);
  }

  /** Adds the values of a chunk by their weights. */
  private static void means(
      IntArray cache,
      FloatArray table,
      int units,
      int from,
      int value,
      int width,
      int headSize,
      FloatArray work,
      int state,
      int positions,
      FloatArray attended,
      int to) {
    float kept = work.get(state + KEPT);
    for (int c = 0; c < headSize; c += 2) {
      float even = attended.get(to + c) * kept;
      float odd = attended.get(to + c + 1) * kept;
      for (int i = 0; i < positions; i++) {
        int at = from + i * units * width;
        float weight = work.get(state + i);
        even += weight * CacheFormat.even(cache, table, units, at, value + c);
        odd += weight * CacheFormat.odd(cache, table, units, at, value + c);
      }
      attended.set(to + c, even);
      attended.set(to + c + 1, odd);
    }
  }

  /** The same of eight rows, for a whole chunk; {@code step} is from row to row. */
  private static void meansOfRows(
      IntArray cache,
      FloatArray table,
      int units,
      int from,
      int value,
      int width,
      int headSize,
      FloatArray work,
      int state,
      int step,
      FloatArray attended,
      int to,
      int toStep) {
    for (int c = 0; c < headSize; c++) {
      int a = to + c;
      float a0 = attended.get(a) * work.get(state + KEPT);
      float a1 = attended.get(a + toStep) * work.get(state + step + KEPT);
      float a2 = attended.get(a + 2 * toStep) * work.get(state + 2 * step + KEPT);
      float a3 = attended.get(a + 3 * toStep) * work.get(state + 3 * step + KEPT);
      float a4 = attended.get(a + 4 * toStep) * work.get(state + 4 * step + KEPT);
      float a5 = attended.get(a + 5 * toStep) * work.get(state + 5 * step + KEPT);
      float a6 = attended.get(a + 6 * toStep) * work.get(state + 6 * step + KEPT);
      float a7 = attended.get(a + 7 * toStep) * work.get(state + 7 * step + KEPT);
      for (int i = 0; i < CHUNK; i++) {
        float number = CacheFormat.get(cache, table, units, from + i * units * width, value + c);
        int w = state + i;
        a0 += work.get(w) * number;
        a1 += work.get(w + step) * number;
        a2 += work.get(w + 2 * step) * number;
        a3 += work.get(w + 3 * step) * number;
        a4 += work.get(w + 4 * step) * number;
        a5 += work.get(w + 5 * step) * number;
        a6 += work.get(w + 6 * step) * number;
        a7 += work.get(w + 7 * step) * number;
      }
      attended.set(a, a0);
      attended.set(a + toStep, a1);
      attended.set(a + 2 * toStep, a2);
      attended.set(a + 3 * toStep, a3);
      attended.set(a + 4 * toStep, a4);
      attended.set(a + 5 * toStep, a5);
      attended.set(a + 6 * toStep, a6);
      attended.set(a + 7 * toStep, a7);
    }
  }
}
