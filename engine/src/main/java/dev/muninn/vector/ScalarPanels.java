package dev.muninn.vector;

import static dev.muninn.vector.SmallIntegers.toFloat;

import dev.muninn.model.WeightFormat;
import dev.muninn.model.WeightMatrix;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * The scalar twin of {@link PanelProducts}. An output is a sum over its inputs in ascending order,
 * in formats with blocks block by block: {@code sum = fma(block's sum, scale, sum)}.
 */
final class ScalarPanels {
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final int ROWS = WeightFormat.PANEL_ROWS;
  private static final int PAIRS = ROWS / 2;

  private ScalarPanels() {}

  /** {@link MatrixKernels#multiply}, for a matrix in panels. */
  static void multiply(
      WeightMatrix matrix, int from, int to, PackedRows x, float[] y, int at, int stride) {
    float[] weights = new float[33 * ROWS];
    int[] pairs = new int[PAIRS * WeightFormat.BLOCK_INPUTS];
    float[] sums = new float[ROWS * x.rows()];
    PanelRows rows = x.panels();
    for (int output = from; output < to; output += ROWS) {
      Arrays.fill(sums, 0);
      for (int input = 0; input < matrix.columns(); input += WeightFormat.BLOCK_INPUTS) {
        int count = Math.min(WeightFormat.BLOCK_INPUTS, matrix.columns() - input);
        unpack(matrix, output / ROWS, input, count, pairs, weights);
        for (int row = 0; row < x.rows(); row++) {
          add(matrix.format(), weights, input, count, rows, row, sums);
        }
      }
      for (int row = 0; row < x.rows(); row++) {
        PanelProducts.copy(
            matrix.format(), sums, ROWS * row, output / ROWS, to, y, at + row * stride);
      }
    }
  }

  private static void add(
      WeightFormat format,
      float[] weights,
      int input,
      int count,
      PanelRows x,
      int row,
      float[] sums) {
    int group = row / PanelRows.GROUP;
    int lane = row % PanelRows.GROUP;
    int block = input / WeightFormat.BLOCK_INPUTS;
    boolean blocks = format.blockInputs() > 1;
    int blockAt = blocks ? x.blockOffset(group, block) + lane : 0;
    float start = blocks ? x.blockStarts[blockAt] : 0;
    int step = x.step();
    int from = x.offset(group, input) + lane;
    for (int o = 0; o < ROWS; o++) {
      int sum = ROWS * row + o;
      float product = blocks ? start : sums[sum];
      for (int k = 0; k < count; k++) {
        product = Math.fma(weights[ROWS * k + o], x.values[from + k * step], product);
      }
      sums[sum] =
          blocks
              ? Math.fma(product, weights[ROWS * WeightFormat.BLOCK_INPUTS + o], sums[sum])
              : product;
    }
  }

  /** Some inputs of a panel as [inputs][32 rows], and the scales behind 32 inputs. */
  private static void unpack(
      WeightMatrix matrix, int panel, int input, int count, int[] pairs, float[] weights) {
    WeightFormat format = matrix.format();
    long offset =
        panel * matrix.stride() + (long) input / format.blockInputs() * format.blockBytes();
    int ints = (format.blockInputs() == 1 ? count : 1) * format.blockBytes() / Integer.BYTES;
    MemorySegment.copy(matrix.data(), INT, offset, pairs, 0, ints);
    switch (format) {
      case BF16_PANELS -> {
        for (int k = 0; k < count; k++) {
          halves(pairs, PAIRS * k, weights, ROWS * k);
        }
      }
      case Q8 -> {
        for (int i = 0; i < ROWS * 8; i++) {
          int to = i / ROWS * 4 * ROWS + i % ROWS;
          weights[to] = toFloat(pairs[i] & 0xFF);
          weights[to + ROWS] = toFloat(pairs[i] & 0xFF00);
          weights[to + 2 * ROWS] = toFloat(pairs[i] & 0xFF0000);
          weights[to + 3 * ROWS] = toFloat(pairs[i] >>> 24);
        }
        halves(pairs, ROWS * 8, weights, ROWS * WeightFormat.BLOCK_INPUTS);
      }
      default -> {
        for (int i = 0; i < PAIRS * 8; i++) {
          int to = i / PAIRS * 4 * ROWS + i % PAIRS;
          for (int j = 0; j < 4; j++, to += ROWS) {
            weights[to] = toFloat(pairs[i] & 15 << 4 * j);
            weights[to + PAIRS] = toFloat(pairs[i] >>> 16 & 15 << 4 * j);
          }
        }
        halves(pairs, PAIRS * 8, weights, ROWS * WeightFormat.BLOCK_INPUTS);
      }
    }
  }

  private static void halves(int[] pairs, int from, float[] weights, int to) {
    for (int i = 0; i < PAIRS; i++) {
      weights[to + i] = Float.intBitsToFloat(pairs[from + i] << 16);
      weights[to + PAIRS + i] = Float.intBitsToFloat(pairs[from + i] & 0xFFFF0000);
    }
  }
}
