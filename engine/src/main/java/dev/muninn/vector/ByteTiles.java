package dev.muninn.vector;

import static dev.muninn.kernel.Lanes.BYTES;
import static dev.muninn.kernel.Lanes.COUNT;
import static dev.muninn.kernel.Lanes.FLOATS;
import static dev.muninn.kernel.Lanes.INTS;
import static java.nio.ByteOrder.LITTLE_ENDIAN;
import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.LSHR;

import dev.muninn.kernel.ScalarKernels;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;

/**
 * Keys and values in 8 bits, widened for {@link AttentionTiles}: bytes as floats, each times what
 * it counts too much where it is in its int, as in {@link ByteRows}.
 */
final class ByteTiles {
  private ByteTiles() {}

  /**
   * Widens whole rows.
   *
   * @param offset of the first
   * @param size of a row, whole chunks
   * @param out gets [count][size] floats
   */
  static void widen(MemorySegment rows, long offset, int size, int count, MemorySegment out) {
    rows.get(ValueLayout.JAVA_BYTE, offset);
    long to = 0;
    for (int row = 0; row < count; row++) {
      long at = offset + (long) row * (size + ByteRows.SCALE_BYTES);
      for (int i = 0; i < size; i += ByteRows.CHUNK, to += 4L * BYTES) {
        IntVector v = IntVector.fromMemorySegment(INTS, rows, at + i, LITTLE_ENDIAN);
        ((FloatVector) v.and(0xFF).convert(I2F, 0)).intoMemorySegment(out, to, LITTLE_ENDIAN);
        ((FloatVector) v.and(0xFF00).convert(I2F, 0))
            .intoMemorySegment(out, to + BYTES, LITTLE_ENDIAN);
        ((FloatVector) v.and(0xFF0000).convert(I2F, 0))
            .intoMemorySegment(out, to + 2L * BYTES, LITTLE_ENDIAN);
        ((FloatVector) v.lanewise(LSHR, 24).convert(I2F, 0))
            .intoMemorySegment(out, to + 3L * BYTES, LITTLE_ENDIAN);
      }
    }
  }

  /**
   * Widens a vector's worth of columns of some rows.
   *
   * @param column the first of them, a multiple of the lanes
   * @param out gets them from {@code to}, 32 from row to row
   */
  static void widenColumns(
      MemorySegment rows, long offset, int size, int column, int count, float[] out, int to) {
    rows.get(ValueLayout.JAVA_BYTE, offset);
    int within = column % ByteRows.CHUNK / COUNT;
    int shift = within == 3 ? 24 : 0;
    int mask = within == 3 ? 0xFF : 0xFF << 8 * within;
    long at = offset + column - column % ByteRows.CHUNK;
    for (int row = 0; row < count; row++, at += size + ByteRows.SCALE_BYTES) {
      IntVector v = IntVector.fromMemorySegment(INTS, rows, at, LITTLE_ENDIAN);
      ((FloatVector) v.lanewise(LSHR, shift).and(mask).convert(I2F, 0))
          .intoArray(out, PanelTiles.OUTPUTS * row + to);
    }
  }

  /** Reads the scales of some rows. */
  static void scales(MemorySegment rows, long offset, int size, int count, float[] out) {
    long at = offset + size;
    for (int row = 0; row < count; row++, at += size + ByteRows.SCALE_BYTES) {
      out[row] = ScalarKernels.f32(rows, at);
    }
  }

  /** {@code x[i] = (x[i] + start) * scales[i]}. */
  static void finish(float[] x, int count, float start, float[] scales) {
    int i = 0;
    for (; i < FLOATS.loopBound(count); i += COUNT) {
      FloatVector.fromArray(FLOATS, x, i)
          .add(start)
          .mul(FloatVector.fromArray(FLOATS, scales, i))
          .intoArray(x, i);
    }
    for (; i < count; i++) {
      x[i] = (x[i] + start) * scales[i];
    }
  }
}
