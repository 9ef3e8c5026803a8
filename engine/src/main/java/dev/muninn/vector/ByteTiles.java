package dev.muninn.vector;

import static dev.muninn.kernel.Lanes.COUNT;
import static dev.muninn.kernel.Lanes.FLOATS;
import static dev.muninn.kernel.Lanes.INTS;
import static dev.muninn.vector.ByteBlocks.SIDE;
import static java.nio.ByteOrder.LITTLE_ENDIAN;
import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.LSHR;

import dev.muninn.kernel.ScalarKernels;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;

/**
 * Keys and values in 8 bits, widened for {@link AttentionTiles}: bytes as floats, each times what
 * it counts too much where it is in its int, as in {@link ByteBlocks}.
 */
final class ByteTiles {
  private ByteTiles() {}

  /**
   * Widens the keys of some positions.
   *
   * @param offset of the first
   * @param positions a multiple of 16, at most 32
   * @param out gets [column][32 positions]
   */
  static void widenKeys(MemorySegment data, long offset, int columns, int positions, float[] out) {
    for (int i = 0; i < positions; i += COUNT) {
      widen(data, offset + ByteBlocks.keys(i, columns), columns / 4, out, i);
    }
  }

  /**
   * Widens columns of the values of some positions.
   *
   * @param offset of the first
   * @param columns a multiple of 16, at most 32
   * @param positions a multiple of 4
   * @param out gets [position][32 columns]
   */
  static void widenValues(
      MemorySegment data, long offset, int rows, int columns, int positions, float[] out) {
    for (int i = 0; i < columns; i += COUNT) {
      widen(data, offset + ByteBlocks.values(0, i, rows), positions / 4, out, i);
    }
  }

  /** Widens a vector of ints out of every 16, each to four rows of 32 floats. */
  private static void widen(MemorySegment data, long offset, int count, float[] out, int to) {
    for (int i = 0; i < count; i++) {
      int at = to + 4 * PanelTiles.OUTPUTS * i;
      IntVector v = IntVector.fromMemorySegment(INTS, data, offset + 4L * SIDE * i, LITTLE_ENDIAN);
      ((FloatVector) v.and(0xFF).convert(I2F, 0)).intoArray(out, at);
      ((FloatVector) v.and(0xFF00).convert(I2F, 0)).intoArray(out, at + PanelTiles.OUTPUTS);
      ((FloatVector) v.and(0xFF0000).convert(I2F, 0)).intoArray(out, at + 2 * PanelTiles.OUTPUTS);
      ((FloatVector) v.lanewise(LSHR, 24).convert(I2F, 0))
          .intoArray(out, at + 3 * PanelTiles.OUTPUTS);
    }
  }

  /**
   * Makes scores of products.
   *
   * @param products of a row, from {@code from}
   * @param start minus what they are too large by
   * @param scales offset of the first position's
   * @param scores gets them, from {@code to}
   */
  static void finish(
      float[] products,
      int from,
      int count,
      float start,
      MemorySegment data,
      long scales,
      float[] scores,
      int to) {
    int i = 0;
    for (; i < FLOATS.loopBound(count); i += COUNT) {
      FloatVector.fromArray(FLOATS, products, from + i)
          .add(start)
          .mul(FloatVector.fromMemorySegment(FLOATS, data, scales + 4L * i, LITTLE_ENDIAN))
          .intoArray(scores, to + i);
    }
    for (; i < count; i++) {
      float scale = ScalarKernels.f32(data, scales + 4L * i);
      scores[to + i] = (products[from + i] + start) * scale;
    }
  }
}
