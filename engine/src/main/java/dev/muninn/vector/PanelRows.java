package dev.muninn.vector;

import dev.muninn.kernel.Lanes;
import dev.muninn.model.WeightFormat;

/**
 * Activations for weights in panels: in groups of {@link #GROUP} rows, or a single row, and in a
 * group, input by input, the values of its rows side by side. A kernel reads one stream and
 * broadcasts what it reads.
 *
 * <p>For {@link WeightFormat#Q8} the values meet bytes that are still in their places of an int; so
 * those of the second and third of four inputs are divided by 2^8 and 2^16. Each block of 32 inputs
 * has a start for its sums: -128 times its values, since bytes are 128 too large.
 *
 * <p>For {@link WeightFormat#Q4} a block's values are rounded to whole numbers a up to 32512, with
 * one scale, and sums of products are exact. Among many rows the values are treated as those for 8
 * bits, with powers of 16. A single row is computed in 16 bits, for which a = 255 * hi + lo, both
 * from -127 to 127: a sum of 32 products of hi, or of lo, with a weight from -8 to 7 fits into 16
 * bits. There weights v still have their lower bits, n_0 + 16 n_1 + 256 n_2 + 4096 n_3, and v >>> 4
 * has lost n_0 only. So the coefficients are hi_0, hi_1 - 16 hi_0, hi_2 - 16 hi_1, hi_3 - 16 hi_2,
 * and those of lo likewise: what is too much cancels out, exactly, in numbers that wrap at 16 bits.
 * Each stands twice in an int.
 */
final class PanelRows {
  /** Rows of a group. */
  static final int GROUP = 4;

  /** What hi is multiplied by. */
  static final int UNIT = 255;

  /** The greatest hi, and lo. */
  private static final int DIGIT = 127;

  /** The greatest whole number that a value is rounded to. */
  private static final float MOST = UNIT * DIGIT + DIGIT;

  /** Adding it rounds a small number to an integer, which its lowest bits have. */
  private static final float ROUNDING = 12_582_912f;

  /** Values; for Q4 rounded and without their scale. */
  float[] values = new float[0];

  /** Coefficients of a single row, for Q4: of hi and of lo in turn. */
  int[] digits = new int[0];

  /** Per row and block: where sums start. */
  float[] blockStarts = new float[0];

  /** Per row and block: the scale of its values, 1 for Q8. */
  float[] blockScales = new float[0];

  /** Where sums of a single row start, by block, for Q4: of hi and of lo, each twice in an int. */
  int[] digitStarts = new int[0];

  private WeightFormat format = WeightFormat.BF16_PANELS;
  private int rows;
  private int columns;
  private int paddedColumns;

  /** Makes room. Not while other threads use this. */
  void reserve(int rows, int columns, WeightFormat format) {
    int places = places(rows);
    int padded = columns + WeightFormat.BLOCK_INPUTS;
    int size = Math.multiplyExact(places, padded);
    int blocks = places * Math.ceilDiv(padded, WeightFormat.BLOCK_INPUTS);
    if (format == WeightFormat.Q4 && digits.length < 2 * padded) {
      digits = new int[2 * padded];
      digitStarts = new int[2 * padded / WeightFormat.BLOCK_INPUTS];
    }
    values = values.length < size ? new float[size] : values;
    if (format.blockInputs() > 1 && blockStarts.length < blocks) {
      blockStarts = new float[blocks];
      blockScales = new float[blocks];
    }
  }

  /** Sets the shape of what is packed next. */
  void shape(int rows, int columns, WeightFormat format) {
    this.format = format;
    this.rows = rows;
    this.columns = columns;
    this.paddedColumns = format.blockInputs() * Math.ceilDiv(columns, format.blockInputs());
  }

  /** Rows with those that fill the last group. */
  static int places(int rows) {
    return rows == 1 ? 1 : GROUP * Math.ceilDiv(rows, GROUP);
  }

  int rows() {
    return rows;
  }

  int columns() {
    return columns;
  }

  int groups() {
    return Math.ceilDiv(rows, GROUP);
  }

  /** Values of an input that stand side by side. */
  int step() {
    return rows == 1 ? 1 : GROUP;
  }

  /** Where a group has the values of an input. */
  int offset(int group, int input) {
    return GROUP * group * paddedColumns + step() * input;
  }

  /** Where a group has what it has once a block. */
  int blockOffset(int group, int block) {
    return GROUP * group * (paddedColumns / WeightFormat.BLOCK_INPUTS) + step() * block;
  }

  /** Packs one row from {@code source[from, from + columns)}. */
  void pack(int row, float[] source, int from) {
    int group = row / GROUP;
    int step = step();
    int lane = row % GROUP;
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
        packWhole(source, from + first, count, at, step, blockAt);
      }
    }
  }

  /** Packs one row for {@link PackingProducts}, in each block of columns lane by lane. */
  void packByLanes(int row, float[] source, int from, boolean paired) {
    int step = step();
    int first = paired ? 2 : 1;
    int second = paired ? 1 : Lanes.COUNT;
    int target = offset(row / GROUP, 0) + row % GROUP;
    for (int block = 0; block < columns; block += PackingProducts.COLUMNS) {
      int end = Math.min(columns, block + PackingProducts.COLUMNS);
      for (int lane = 0; lane < Lanes.COUNT; lane++) {
        for (int i = block + first * lane; i < end; i += Lanes.CHUNK) {
          values[target] = source[from + i];
          target += step;
          if (i + second < end) {
            values[target] = source[from + i + second];
            target += step;
          }
        }
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
    blockStarts[blockAt] = -128 * sum;
    blockScales[blockAt] = 1;
  }

  /** What a value is multiplied by so that its byte may stay in its place of an int. */
  static float factor(int input) {
    return switch (input % 4) {
      case 1 -> 0x1p-8f;
      case 2 -> 0x1p-16f;
      default -> 1;
    };
  }

  private void packWhole(float[] source, int from, int count, int at, int step, int blockAt) {
    float most = 0;
    for (int i = 0; i < count; i++) {
      most = Math.max(most, Math.abs(source[from + i]));
    }
    float inverse = MOST / most;
    boolean usable = most > 0 && inverse > 0 && inverse <= Float.MAX_VALUE;
    // Where a value is not finite no sum is.
    blockScales[blockAt] = usable ? most / MOST : most <= 1 ? 0 : Float.NaN;
    float factor = usable ? inverse : 0;
    int sum = 0;
    float place = 1;
    for (int i = 0; i < WeightFormat.BLOCK_INPUTS; i++) {
      float value = usable && i < count ? source[from + i] : 0;
      int a = round(value * factor);
      sum += a;
      values[at + i * step] = a * place;
      place = i % 4 == 3 ? 1 : place / 16;
    }
    blockStarts[blockAt] = -8 * sum;
    if (rows == 1) {
      packDigits(at, 2 * blockAt);
    }
  }

  /** Packs what a block of a single row is computed with: its values in two digits. */
  private void packDigits(int at, int blockAt) {
    int highSum = 0;
    int lowSum = 0;
    int highBefore = 0;
    int lowBefore = 0;
    for (int i = 0; i < WeightFormat.BLOCK_INPUTS; i++) {
      int a = (int) (values[at + i] * (1 << 4 * (i % 4)));
      int high = round(a * (1f / UNIT));
      int low = a - UNIT * high;
      highSum += high;
      lowSum += low;
      boolean first = i % 4 == 0;
      digits[2 * (at + i)] = twice(first ? high : high - 16 * highBefore);
      digits[2 * (at + i) + 1] = twice(first ? low : low - 16 * lowBefore);
      highBefore = high;
      lowBefore = low;
    }
    digitStarts[blockAt] = twice(-8 * highSum);
    digitStarts[blockAt + 1] = twice(-8 * lowSum);
  }

  /** The nearest whole number. */
  private static int round(float value) {
    return Float.floatToRawIntBits(value + ROUNDING) - 0x4B40_0000;
  }

  private static int twice(int value) {
    return value << 16 | value & 0xFFFF;
  }
}
