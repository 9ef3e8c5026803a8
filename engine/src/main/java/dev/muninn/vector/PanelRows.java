package dev.muninn.vector;

import static dev.muninn.vector.SmallIntegers.ACTIVATIONS;
import static dev.muninn.vector.SmallIntegers.OUTPUTS;

import dev.muninn.kernel.Lanes;
import dev.muninn.model.WeightFormat;

/**
 * Activations for weights in panels: in groups of {@link #GROUP} rows, or a single row, and in a
 * group, input by input, the values of its rows side by side. A kernel reads one stream and
 * broadcasts what it reads.
 *
 * <p>For {@link WeightFormat#Q8} and {@link WeightFormat#Q4} the values meet numbers that are still
 * in their places of an int, and are divided by what those count too much there. Each block of 32
 * inputs has a start for its sums: minus its values times what all numbers are too large by.
 */
final class PanelRows {
  /** Rows of a group. */
  static final int GROUP = 4;

  /** Values, divided by the places of the numbers that they meet. */
  float[] values = new float[0];

  /** Per row and block: where sums start. */
  float[] blockStarts = new float[0];

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
    values = values.length < size ? new float[size] : values;
    if (format.blockInputs() > 1 && blockStarts.length < blocks) {
      blockStarts = new float[blocks];
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
      blockStarts[blockOffset(group, block) + lane] =
          packBlock(source, from + first, count, at, step);
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

  /** Packs a block, and returns where its sums start. */
  private float packBlock(float[] source, int from, int count, int at, int step) {
    boolean bytes = format == WeightFormat.Q8;
    float sum = 0;
    for (int i = 0; i < WeightFormat.BLOCK_INPUTS; i++) {
      float value = i < count ? source[from + i] : 0;
      sum += value;
      values[at + i * step] = value * (ACTIVATIONS * (bytes ? ofByte(i) : ofNibble(i)));
    }
    return (bytes ? -128 : -8) / OUTPUTS * sum;
  }

  /** What a value is multiplied by so that its byte may stay in its place of an int. */
  private static float ofByte(int input) {
    return switch (input % 4) {
      case 1 -> 0x1p-8f;
      case 2 -> 0x1p-16f;
      default -> 1;
    };
  }

  /** The same for four bits of a short. */
  private static float ofNibble(int input) {
    return switch (input % 4) {
      case 1 -> 0x1p-4f;
      case 2 -> 0x1p-8f;
      case 3 -> 0x1p-12f;
      default -> 1;
    };
  }
}
