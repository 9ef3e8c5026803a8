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
  private int step;
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
    this.step = rows == 1 ? 1 : GROUP;
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

  /**
   * Values of an input that stand side by side. Kept, for kernels are better off not to know it.
   */
  int step() {
    return step;
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
    if (format.blockInputs() == 1) {
      int target = offset(group, 0) + lane;
      for (int i = 0; i < columns; i++, target += step) {
        values[target] = source[from + i];
      }
      return;
    }
    int i = 0;
    for (; i <= columns - WeightFormat.BLOCK_INPUTS; i += WeightFormat.BLOCK_INPUTS) {
      packBlock(source, from + i, group, lane, i);
    }
    if (i < columns) {
      float[] rest = new float[WeightFormat.BLOCK_INPUTS];
      System.arraycopy(source, from + i, rest, 0, columns - i);
      packBlock(rest, 0, group, lane, i);
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

  /** Packs a block of a row, and finds where its sums start. */
  private void packBlock(float[] source, int from, int group, int lane, int input) {
    boolean bytes = format == WeightFormat.Q8;
    // What a value is multiplied by so that its number may stay in its place of an int.
    float scale1 = ACTIVATIONS * (bytes ? 0x1p-8f : 0x1p-4f);
    float scale2 = ACTIVATIONS * (bytes ? 0x1p-16f : 0x1p-8f);
    float scale3 = ACTIVATIONS * (bytes ? 1 : 0x1p-12f);
    // Four sums, so that additions need not wait for each other.
    float sum0 = 0;
    float sum1 = 0;
    float sum2 = 0;
    float sum3 = 0;
    int step = step();
    int at = offset(group, input) + lane;
    for (int i = 0; i < WeightFormat.BLOCK_INPUTS; i += 4) {
      float value0 = source[from + i];
      float value1 = source[from + i + 1];
      float value2 = source[from + i + 2];
      float value3 = source[from + i + 3];
      sum0 += value0;
      sum1 += value1;
      sum2 += value2;
      sum3 += value3;
      int to = at + i * step;
      values[to] = value0 * ACTIVATIONS;
      values[to + step] = value1 * scale1;
      values[to + 2 * step] = value2 * scale2;
      values[to + 3 * step] = value3 * scale3;
    }
    int block = input / WeightFormat.BLOCK_INPUTS;
    blockStarts[blockOffset(group, block) + lane] =
        (bytes ? -128 : -8) / OUTPUTS * (sum0 + sum1 + (sum2 + sum3));
  }
}
