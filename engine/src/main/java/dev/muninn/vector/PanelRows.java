package dev.muninn.vector;

import dev.muninn.model.WeightFormat;
import java.util.Arrays;

/**
 * Activations for weights in panels: in groups of {@link #WIDE} or {@link #FEW} rows, or a single
 * row, and in a group, input by input, the values of its rows side by side. A kernel reads one
 * stream and broadcasts what it reads.
 *
 * <p>For {@link WeightFormat#Q8} the values meet bytes that are still in their places of an int; so
 * those of the second and third of four inputs are divided by 2^8 and 2^16. Each block of 32 inputs
 * has a start for its sums: -128 times its values, since bytes are 128 too large.
 *
 * <p>For {@link WeightFormat#Q4} a block's values are rounded to 8 bits with one scale. Products
 * are computed in 16 bits from weights whose lower bits are still there: v holds the bits of four
 * inputs, n_0 + 16 n_1 + 256 n_2 + 4096 n_3, and v >>> 4 has lost n_0 only. So the coefficients are
 * a_0, a_1 - 16 a_0, a_2 - 16 a_1, a_3 - 16 a_2: what is too much cancels out, exactly, in numbers
 * that wrap at 16 bits. Each stands twice in an int. The sum that is meant, of 32 products less
 * than 8 times 127, fits into 16 bits.
 */
final class PanelRows {
  /** Rows of a group of many. */
  static final int WIDE = 6;

  /** Rows of a group of few, and of all groups in {@link WeightFormat#Q4}. */
  static final int FEW = 4;

  /** The greatest 8-bit activation. */
  private static final float MOST = 127;

  /** Adding it rounds a small number to an integer, which its lowest bits have. */
  private static final float ROUNDING = 12_582_912f;

  /** Values, for formats but Q4. */
  float[] values = new float[0];

  /** Coefficients, for Q4. */
  int[] coefficients = new int[0];

  /** Per row and block: where sums start, for Q8; the scale, for Q4. */
  float[] blockFloats = new float[0];

  /** Per row and block where sums start, for Q4, twice in an int. */
  int[] blockInts = new int[0];

  private WeightFormat format = WeightFormat.BF16_PANELS;
  private int rows;
  private int columns;
  private int paddedColumns;
  private int wideGroups;
  private int groups;

  /** Makes room. Not while other threads use this. */
  void reserve(int rows, int columns, WeightFormat format) {
    int places = rows == 1 ? 1 : rows + WIDE + 2 * FEW;
    int padded = columns + WeightFormat.BLOCK_INPUTS;
    int size = Math.multiplyExact(places, padded);
    int blocks = places * Math.ceilDiv(padded, WeightFormat.BLOCK_INPUTS);
    if (format == WeightFormat.Q4) {
      coefficients = coefficients.length < size ? new int[size] : coefficients;
      blockInts = blockInts.length < blocks ? new int[blocks] : blockInts;
    } else {
      values = values.length < size ? new float[size] : values;
    }
    if (format.blockInputs() > 1) {
      blockFloats = blockFloats.length < blocks ? new float[blocks] : blockFloats;
    }
  }

  /** Sets the shape of what is packed next. */
  void shape(int rows, int columns, WeightFormat format) {
    this.format = format;
    this.rows = rows;
    this.columns = columns;
    this.paddedColumns = format.blockInputs() * Math.ceilDiv(columns, format.blockInputs());
    if (rows == 1) {
      wideGroups = 0;
      groups = 1;
    } else if (format == WeightFormat.Q4) {
      wideGroups = 0;
      groups = Math.ceilDiv(rows, FEW);
    } else {
      int few = fewGroups(rows);
      wideGroups = Math.ceilDiv(Math.max(0, rows - FEW * few), WIDE);
      groups = wideGroups + few;
    }
  }

  /** As many groups of few as leave the fewest places empty. */
  private static int fewGroups(int rows) {
    if (rows <= FEW) {
      return 1;
    }
    return switch (rows % WIDE) {
      case 1, 2 -> 2;
      case 3, 4 -> 1;
      default -> 0;
    };
  }

  int rows() {
    return rows;
  }

  int columns() {
    return columns;
  }

  int groups() {
    return groups;
  }

  /** Rows of a group, with those that are none. */
  int groupSize(int group) {
    return rows == 1 ? 1 : group < wideGroups ? WIDE : FEW;
  }

  /** The first row of a group. */
  int groupFirst(int group) {
    return rows == 1
        ? 0
        : group < wideGroups ? WIDE * group : WIDE * wideGroups + FEW * (group - wideGroups);
  }

  /** Where a group has the values of an input. */
  int offset(int group, int input) {
    return groupFirst(group) * paddedColumns + groupSize(group) * input;
  }

  /** Where a group has what it has once a block. */
  int blockOffset(int group, int block) {
    return groupFirst(group) * (paddedColumns / WeightFormat.BLOCK_INPUTS)
        + groupSize(group) * block;
  }

  /** The group that has a row. */
  int group(int row) {
    return row < WIDE * wideGroups
        ? row / WIDE
        : rows == 1 ? 0 : wideGroups + (row - WIDE * wideGroups) / FEW;
  }

  /** Packs one row from {@code source[from, from + columns)}. */
  void pack(int row, float[] source, int from) {
    int group = group(row);
    int step = groupSize(group);
    int lane = row - groupFirst(group);
    int target = offset(group, 0) + lane;
    if (format.blockInputs() == 1) {
      for (int i = 0; i < columns; i++, target += step) {
        values[target] = source[from + i];
      }
      return;
    }
    int blocks = paddedColumns / WeightFormat.BLOCK_INPUTS;
    for (int block = 0; block < blocks; block++) {
      int first = WeightFormat.BLOCK_INPUTS * block;
      int count = Math.min(WeightFormat.BLOCK_INPUTS, columns - first);
      int at = target + step * first;
      int blockAt = blockOffset(group, block) + lane;
      if (format == WeightFormat.Q8) {
        packFloats(source, from + first, count, at, step, blockAt);
      } else {
        packBytes(source, from + first, count, at, step, blockAt);
      }
    }
  }

  private void packFloats(float[] source, int from, int count, int at, int step, int blockAt) {
    float sum = 0;
    for (int i = 0; i < WeightFormat.BLOCK_INPUTS; i++) {
      float value = i < count ? source[from + i] : 0;
      sum += value;
      values[at + i * step] = value * factor(i);
    }
    blockFloats[blockAt] = -128 * sum;
  }

  /** What a value is multiplied by so that its byte may stay in its place of an int. */
  static float factor(int input) {
    return switch (input % 4) {
      case 1 -> 0x1p-8f;
      case 2 -> 0x1p-16f;
      default -> 1;
    };
  }

  private void packBytes(float[] source, int from, int count, int at, int step, int blockAt) {
    float most = 0;
    for (int i = 0; i < count; i++) {
      most = Math.max(most, Math.abs(source[from + i]));
    }
    float inverse = MOST / most;
    boolean usable = most > 0 && inverse > 0 && inverse <= Float.MAX_VALUE;
    // Where a value is not finite no sum is.
    blockFloats[blockAt] = usable ? most / MOST : most <= 1 ? 0 : Float.NaN;
    if (!usable) {
      for (int i = 0; i < WeightFormat.BLOCK_INPUTS; i++) {
        coefficients[at + i * step] = 0;
      }
      blockInts[blockAt] = 0;
      return;
    }
    int sum = 0;
    for (int i = 0; i < WeightFormat.BLOCK_INPUTS; i += 4) {
      int a = 0;
      for (int j = 0; j < 4; j++) {
        int before = a;
        float value = i + j < count ? source[from + i + j] : 0;
        a = Float.floatToRawIntBits(value * inverse + ROUNDING) - 0x4B40_0000;
        sum += a;
        coefficients[at + (i + j) * step] = twice(a - 16 * before);
      }
    }
    blockInts[blockAt] = twice(-8 * sum);
  }

  private static int twice(int value) {
    return value << 16 | value & 0xFFFF;
  }

  /** The 8-bit activations of a row that coefficients were made of. */
  void activations(int row, int block, float[] into) {
    int group = group(row);
    int step = groupSize(group);
    int at = offset(group, WeightFormat.BLOCK_INPUTS * block) + row - groupFirst(group);
    int a = 0;
    for (int i = 0; i < WeightFormat.BLOCK_INPUTS; i++) {
      a = (short) (coefficients[at + i * step] + (i % 4 == 0 ? 0 : 16 * a));
      into[i] = a;
    }
  }

  /** Forgets all values. */
  void clear() {
    Arrays.fill(values, 0);
    Arrays.fill(coefficients, 0);
  }
}
