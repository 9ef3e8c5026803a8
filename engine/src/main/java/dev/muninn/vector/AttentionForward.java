package dev.muninn.vector;

import dev.muninn.kernel.RotaryTable;
import dev.muninn.kernel.ScalarKernels;
import dev.muninn.kernel.ThreadTeam;
import dev.muninn.model.Attention;
import dev.muninn.model.Norm;
import dev.muninn.model.Rotary;
import dev.muninn.weights.DType;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * What attention does between its two products, for the rows of a chunk: norms of queries and keys,
 * rotary positions, storing keys and values, and the softmax over the positions before.
 */
final class AttentionForward {
  private final Attention attention;
  private final RotaryTable rotary;
  private final ThreadTeam team;
  private final RowChunk chunk;
  private final int size;
  private final int keyOffset;
  private final int valueOffset;

  /** Values of a row: queries, keys, values. */
  private final int stride;

  private final float[] queryBias;
  private final float[] keyBias;
  private final float scale;

  AttentionForward(Attention attention, RotaryTable rotary, ThreadTeam team, RowChunk chunk) {
    this.attention = attention;
    this.rotary = rotary;
    this.team = team;
    this.chunk = chunk;
    this.size = attention.headSize();
    this.keyOffset = attention.width();
    this.valueOffset = keyOffset + attention.keyValueWidth();
    this.stride = valueOffset + attention.keyValueWidth();
    this.queryBias = attention.query().bias().orElseGet(() -> new float[attention.width()]);
    this.keyBias = attention.key().bias().orElseGet(() -> new float[attention.keyValueWidth()]);
    this.scale = (float) (1 / Math.sqrt(size));
  }

  /**
   * Every thread's part, behind the barrier that ends the product.
   *
   * @param queryKeyValue queries, keys and values, row by row
   * @param block number of the block in its part
   * @param readOutOnly whether only rows whose logits are wanted attend
   * @param attended gets what the heads mix, row by row
   */
  void run(
      int thread,
      float[] queryKeyValue,
      int block,
      boolean readOutOnly,
      float[] attended,
      ThreadScratch own) {
    if (attention.query().norm().isPresent() || attention.key().norm().isPresent()) {
      for (int row = team.share(chunk.count, thread);
          row < team.share(chunk.count, thread + 1);
          row++) {
        int at = row * stride;
        norm(attention.query().norm().orElse(null), queryKeyValue, at, own);
        norm(attention.key().norm().orElse(null), queryKeyValue, at + keyOffset, own);
      }
      team.barrier();
    }
    int keyHeads = attention.keyValueHeads();
    int group = attention.groupSize();
    // A thread that attends by the keys that it stored need not wait for the others.
    boolean apart = keyHeads % team.running() != 0 && group > 1;
    for (int head = team.share(keyHeads, thread); head < team.share(keyHeads, thread + 1); head++) {
      // The keys and values of all rows come first: rows of one sequence see each other.
      for (int row = 0; row < chunk.count; row++) {
        store(own, queryKeyValue, block, row, head);
      }
      if (!apart) {
        attend(own, queryKeyValue, block, head * group, (head + 1) * group, readOutOnly, attended);
      }
    }
    if (apart) {
      team.barrier();
      int heads = attention.heads();
      attend(
          own,
          queryKeyValue,
          block,
          team.share(heads, thread),
          team.share(heads, thread + 1),
          readOutOnly,
          attended);
    }
  }

  private static void norm(Norm norm, float[] values, int at, ThreadScratch own) {
    if (norm != null) {
      int width = norm.size();
      Kernels.norm(values, at, norm.scale(), norm.epsilon(), values, at, width, own.product);
    }
  }

  private void store(ThreadScratch own, float[] queryKeyValue, int block, int row, int head) {
    int position = chunk.position(row);
    VectorStore store = (VectorStore) chunk.sequence(row).store();
    int plane = chunk.ownPlane(row, block);
    int at = row * stride + head * size;
    rotate(queryKeyValue, at + keyOffset, keyBias, head * size, position, own.key);
    Kernels.storeKey(store, plane, head, position, own.key, 0, size);
    Kernels.storeValue(store, plane, head, position, queryKeyValue, at + valueOffset, size);
  }

  private void attend(
      ThreadScratch own,
      float[] queryKeyValue,
      int block,
      int from,
      int to,
      boolean readOutOnly,
      float[] attended) {
    for (int head = from; head < to; head++) {
      int row = 0;
      while (row < chunk.count) {
        int end = readOutOnly ? row + 1 : endOfTogether(row, block);
        VectorStore store = (VectorStore) chunk.sequence(row).store();
        if (Kernels.hasAttentionTiles(store, size, end - row)) {
          attendTogether(own, queryKeyValue, block, row, end, head, attended);
          row = end;
          continue;
        }
        for (; row < end; row++) {
          if (!readOutOnly || chunk.logits(row)) {
            findQuery(own, queryKeyValue, row, head);
            packQuery(own, store);
            attendRow(own, block, row, head / attention.groupSize());
            System.arraycopy(own.mixed, 0, attended, row * keyOffset + head * size, size);
          }
        }
      }
    }
  }

  private void findQuery(ThreadScratch own, float[] queryKeyValue, int row, int head) {
    int at = row * stride + head * size;
    rotate(queryKeyValue, at, queryBias, head * size, chunk.position(row), own.query);
    for (int i = 0; i < size; i++) {
      own.query[i] *= scale;
    }
  }

  /** The row behind those that find keys and values of one sequence in one plane, from a row on. */
  private int endOfTogether(int row, int block) {
    int end = row + 1;
    if (chunk.runs(row) != 1) {
      return end;
    }
    int plane = chunk.runPlane(row, 0, block);
    int most = Math.min(chunk.count, row + AttentionTiles.MOST_ROWS);
    while (end < most
        && chunk.sequence(end) == chunk.sequence(row)
        && chunk.runs(end) == 1
        && chunk.runPlane(end, 0, block) == plane
        && chunk.position(end) > chunk.position(end - 1)) {
      end++;
    }
    return end;
  }

  private void attendTogether(
      ThreadScratch own,
      float[] queryKeyValue,
      int block,
      int from,
      int to,
      int head,
      float[] attended) {
    VectorStore store = (VectorStore) chunk.sequence(from).store();
    int plane = chunk.runPlane(from, 0, block);
    int keyHead = head / attention.groupSize();
    AttentionTiles tiles = own.tiles();
    tiles.begin(store, to - from);
    for (int row = from; row < to; row++) {
      findQuery(own, queryKeyValue, row, head);
      tiles.add(store, row - from, own.query, chunk.position(row) + 1);
    }
    tiles.attend(store, plane, keyHead, own);
    for (int row = from; row < to; row++) {
      tiles.read(store, plane, keyHead, row - from, own.mixed);
      System.arraycopy(own.mixed, 0, attended, row * keyOffset + head * size, size);
    }
  }

  private void rotate(
      float[] values, int at, float[] bias, int biasAt, int position, float[] turned) {
    if (rotary.layout() == Rotary.Layout.PAIRS) {
      Kernels.rotate(values, at, bias, biasAt, rotary, position, turned, size);
    } else {
      Kernels.rotateHalves(values, at, bias, biasAt, rotary, position, turned, size);
    }
  }

  private void packQuery(ThreadScratch own, VectorStore store) {
    if (store.type == DType.U8) {
      ByteKeys.packQuery(own.query, size, own.byteQuery);
    } else {
      MemorySegment.copy(own.query, 0, own.packedQuery, ScalarKernels.FLOAT, 0, size);
    }
  }

  private void attendRow(ThreadScratch own, int block, int row, int head) {
    VectorStore store = (VectorStore) chunk.sequence(row).store();
    int length = chunk.position(row) + 1;
    float[] scores = own.scores(length);
    int runs = chunk.runs(row);
    for (int run = 0; run < runs; run++) {
      int plane = chunk.runPlane(row, run, block);
      score(own, store, plane, head, chunk.runBegin(row, run), chunk.runEnd(row, run), scores);
    }
    float sum = Kernels.exponentiate(scores, length, own.product);
    Arrays.fill(own.mixed, 0);
    for (int run = 0; run < runs; run++) {
      int plane = chunk.runPlane(row, run, block);
      int begin = chunk.runBegin(row, run);
      int end = chunk.runEnd(row, run);
      Kernels.addWeighted(store, plane, head, scores, begin, end, own.byteValues, own.mixed);
    }
    float share = 1 / sum;
    for (int i = 0; i < size; i++) {
      own.mixed[i] *= share;
    }
  }

  /** Scores of a run of positions: four long streams of memory, then what is left of them. */
  private void score(
      ThreadScratch own,
      VectorStore store,
      int plane,
      int head,
      int begin,
      int end,
      float[] scores) {
    if (store.type == DType.U8) {
      scoreBytes(own, store, store.key(plane, head, 0), begin, end, scores);
      return;
    }
    int quarter = (end - begin) / MatrixKernels.UNIT * 4;
    for (int i = 0; i < quarter; i += 4) {
      long offset = store.key(plane, head, begin + i);
      Kernels.scores(store, offset, quarter, size, own.packedQuery, own.product);
      for (int stream = 0; stream < 4; stream++) {
        int at = begin + i + stream * quarter;
        System.arraycopy(own.product.partials, 4 * stream, scores, at, 4);
      }
    }
    int left = begin + 4 * quarter;
    if (left < end) {
      Kernels.scores(store, store.key(plane, head, left), 4, size, own.packedQuery, own.product);
      System.arraycopy(own.product.partials, 0, scores, left, MatrixKernels.UNIT);
    }
  }

  /** The same in 8 bits. */
  private static void scoreBytes(
      ThreadScratch own, VectorStore store, long keys, int begin, int end, float[] scores) {
    int position = begin - begin % ByteBlocks.SIDE;
    int unit = ByteKeys.STREAMS * ByteBlocks.SIDE;
    int quarter = (end - position) / unit * ByteBlocks.SIDE;
    int last = position + quarter;
    for (; position < last; position += ByteBlocks.SIDE) {
      scoreStreams(own, store, keys, position, quarter, begin, end, scores);
    }
    position += (ByteKeys.STREAMS - 1) * quarter;
    if (position < end) {
      scoreStreams(own, store, keys, position, ByteBlocks.SIDE, begin, end, scores);
    }
  }

  private static void scoreStreams(
      ThreadScratch own,
      VectorStore store,
      long keys,
      int position,
      int apart,
      int begin,
      int end,
      float[] scores) {
    Kernels.byteScores(store, keys, position, apart, own.byteQuery, own.byteScores);
    for (int stream = 0; stream < ByteKeys.STREAMS; stream++) {
      int first = position + stream * apart;
      int from = Math.max(first, begin);
      int to = Math.min(first + ByteBlocks.SIDE, end);
      if (from < to) {
        int at = ByteBlocks.SIDE * stream + from - first;
        System.arraycopy(own.byteScores, at, scores, from, to - from);
      }
    }
  }
}
