package dev.muninn.vector;

import dev.muninn.kernel.NativeMemory;
import java.lang.foreign.MemorySegment;

/** One thread's working memory. */
final class ThreadScratch {
  final MatrixKernels.Scratch product = new MatrixKernels.Scratch();
  final float[] row;

  /** Gates and ups of some columns, row by row. */
  final float[] gateUp;

  final short[] halves;
  final float[] query;

  /** The query outside the heap, where all rows of products are. */
  final MemorySegment packedQuery;

  final float[] key;
  final float[] mixed;

  /** The query for keys in 8 bits, and scores of some of them. */
  final float[] byteQuery;

  final float[] byteScores = new float[ByteKeys.STREAMS * ByteBlocks.SIDE];
  final ByteValues.Scratch byteValues;

  private AttentionTiles tiles;
  private float[] scores = new float[0];

  /**
   * Room for a chunk.
   *
   * @param rows of the chunk
   * @param width of the latent state
   * @param intermediate the widest MLP's
   */
  ThreadScratch(int rows, int width, int intermediate, int headSize) {
    row = new float[width];
    int few = Math.min(rows, PackedRows.WIDE_TILE);
    int columns = Math.max(few * intermediate, rows * TeamProducts.GATE_UNITS * MatrixKernels.UNIT);
    gateUp = new float[2 * columns];
    halves = new short[width];
    query = new float[headSize];
    packedQuery = NativeMemory.allocateAutomatic(4L * headSize);
    key = new float[headSize];
    mixed = new float[headSize];
    byteQuery = ByteKeys.query(headSize);
    byteValues = new ByteValues.Scratch(headSize);
  }

  /** What attends for many rows; made when there are some. */
  AttentionTiles tiles() {
    if (tiles == null) {
      tiles = new AttentionTiles(query.length);
    }
    return tiles;
  }

  /** Room for the scores of a number of positions and the rest of the last unit. */
  float[] scores(int positions) {
    int needed = positions + 2 * MatrixKernels.UNIT;
    if (scores.length < needed) {
      scores = new float[Math.max(needed, 2 * scores.length)];
    }
    return scores;
  }
}
