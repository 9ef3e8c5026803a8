package dev.muninn.vector;

import dev.muninn.cache.KeyValueType;
import dev.muninn.kernel.ScalarKernels;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/**
 * Where keys and values in 8 bits lie. A number is a byte that is 128 too large, four of them are
 * an int, and 16 ints lie side by side: those of 16 positions, or of 16 columns. Behind all numbers
 * of a head are the F32 scales of its positions.
 *
 * <ul>
 *   <li>Keys: [position / 16][column / 4][16 positions], four columns in an int.
 *   <li>Values: [column / 16][position / 4][16 columns], four positions in an int.
 * </ul>
 *
 * <p>So every lane of a kernel adds up a sum of its own, in order, and memory is read in a few long
 * streams. Columns are filled up with zeros.
 *
 * <p>A byte is used where it is in its int, and counts 2^8 or 2^16 too much; what it is multiplied
 * by is divided by that. That bytes are 128 too large is taken off a whole sum.
 */
final class ByteBlocks {
  /** Ints that lie side by side: positions of keys, columns of values. */
  static final int SIDE = 16;

  /** What bytes are too large by. */
  static final float ZERO = 128;

  private ByteBlocks() {}

  /** Columns of a head, with those that fill it up. */
  static int columns(int headSize) {
    return KeyValueType.Q8.columns(headSize);
  }

  /**
   * The offset of a position's scale.
   *
   * @param rows for how many positions the head has room
   * @param columns from {@link #columns}
   */
  static long scale(int position, int rows, int columns) {
    return (long) rows * columns + (long) Float.BYTES * position;
  }

  /** The offset of the int of a position's first four columns, in keys. */
  static long keys(int position, int columns) {
    return (long) (position / SIDE) * SIDE * columns + 4L * (position % SIDE);
  }

  /** The offset of the int of a position in a column, in values. */
  static long values(int position, int column, int rows) {
    return (long) SIDE * (column / SIDE * (long) rows + position / 4 * 4) + 4L * (column % SIDE);
  }

  /** How many bytes of each position lie together in the keys of a head, part by part. */
  static int[] keyParts(int headSize) {
    return new int[] {columns(headSize), Float.BYTES};
  }

  /** The same in its values. */
  static int[] valueParts(int headSize) {
    int[] parts = new int[columns(headSize) / SIDE + 1];
    Arrays.fill(parts, SIDE);
    parts[parts.length - 1] = Float.BYTES;
    return parts;
  }

  private static long key(int position, int column, int columns) {
    return keys(position, columns) + 4L * SIDE * (column / 4) + column % 4;
  }

  private static long value(int position, int column, int rows) {
    return values(position, column, rows) + position % 4;
  }

  /** What a byte is multiplied by so that it may stay in its place of an int. */
  static float factor(int index) {
    return switch (index % 4) {
      case 1 -> 0x1p-8f;
      case 2 -> 0x1p-16f;
      default -> 1;
    };
  }

  /**
   * Stores a key.
   *
   * @param head where the head begins, which has room for {@code rows} positions
   */
  static void storeKey(
      float[] x, int from, int size, MemorySegment target, long head, int rows, int position) {
    store(x, from, size, target, head, rows, position, true);
  }

  /** Stores a value, as {@link #storeKey}. */
  static void storeValue(
      float[] x, int from, int size, MemorySegment target, long head, int rows, int position) {
    store(x, from, size, target, head, rows, position, false);
  }

  private static void store(
      float[] x,
      int from,
      int size,
      MemorySegment target,
      long head,
      int rows,
      int position,
      boolean isKey) {
    int columns = columns(size);
    float inverse = storeScale(x, from, size, target, head + scale(position, rows, columns));
    for (int i = 0; i < columns; i++) {
      byte number = i < size ? rounded(x[from + i], inverse) : (byte) ZERO;
      long at = isKey ? key(position, i, columns) : value(position, i, rows);
      target.set(ValueLayout.JAVA_BYTE, head + at, number);
    }
  }

  /**
   * Stores the scale of a row. What is not finite makes it NaN.
   *
   * @return what the numbers are multiplied by, 0 if all are 0 or one is not finite
   */
  private static float storeScale(
      float[] x, int from, int size, MemorySegment target, long offset) {
    float most = 0;
    for (int i = 0; i < size; i++) {
      most = Math.max(most, Math.abs(x[from + i]));
    }
    float inverse = 127 / most;
    boolean usable = most > 0 && inverse > 0 && inverse <= Float.MAX_VALUE;
    ScalarKernels.setF32(target, offset, usable ? most / 127 : most <= 1 ? 0 : Float.NaN);
    return usable ? inverse : 0;
  }

  private static byte rounded(float x, float inverse) {
    return (byte) (Math.round(x * inverse) + (int) ZERO);
  }

  /** A byte of a key. */
  static int key(MemorySegment data, long head, int position, int column, int columns) {
    return data.get(ValueLayout.JAVA_BYTE, head + key(position, column, columns)) & 0xFF;
  }

  /** A byte of a value. */
  static int value(MemorySegment data, long head, int position, int column, int rows) {
    return data.get(ValueLayout.JAVA_BYTE, head + value(position, column, rows)) & 0xFF;
  }

  /** The scale of a position. */
  static float scale(MemorySegment data, long head, int position, int rows, int columns) {
    return ScalarKernels.f32(data, head + scale(position, rows, columns));
  }
}
