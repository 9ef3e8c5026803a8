package dev.muninn.vector;

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
    float[] activations = new float[WeightFormat.BLOCK_INPUTS];
    float[] sums = new float[ROWS * x.rows()];
    PanelRows rows = x.panels();
    for (int output = from; output < to; output += ROWS) {
      Arrays.fill(sums, 0);
      for (int input = 0; input < matrix.columns(); input += WeightFormat.BLOCK_INPUTS) {
        int count = Math.min(WeightFormat.BLOCK_INPUTS, matrix.columns() - input);
        unpack(matrix, output / ROWS, input, count, pairs, weights);
        for (int row = 0; row < x.rows(); row++) {
          add(matrix.format(), weights, input, count, rows, row, activations, sums);
        }
      }
      for (int row = 0; row < x.rows(); row++) {
        System.arraycopy(
            sums, ROWS * row, y, at + row * stride + output, Math.min(ROWS, to - output));
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
      float[] activations,
      float[] sums) {
    int group = x.group(row);
    int lane = row - x.groupFirst(group);
    int block = input / WeightFormat.BLOCK_INPUTS;
    float start = 0;
    float factor = 1;
    int step = 1;
    int from = 0;
    float[] values = activations;
    if (format == WeightFormat.Q4) {
      x.activations(row, block, activations);
      factor = x.blockFloats[x.blockOffset(group, block) + lane];
    } else {
      values = x.values;
      step = x.groupSize(group);
      from = x.offset(group, input) + lane;
      if (format == WeightFormat.Q8) {
        start = x.blockFloats[x.blockOffset(group, block) + lane];
      }
    }
    for (int o = 0; o < ROWS; o++) {
      int sum = ROWS * row + o;
      float product = format == WeightFormat.BF16_PANELS ? sums[sum] : start;
      for (int k = 0; k < count; k++) {
        product = Math.fma(weights[ROWS * k + o], values[from + k * step], product);
      }
      sums[sum] =
          format == WeightFormat.BF16_PANELS
              ? product
              : Math.fma(
                  product * factor, weights[ROWS * WeightFormat.BLOCK_INPUTS + o], sums[sum]);
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
          weights[to] = pairs[i] & 0xFF;
          weights[to + ROWS] = pairs[i] & 0xFF00;
          weights[to + 2 * ROWS] = pairs[i] & 0xFF0000;
          weights[to + 3 * ROWS] = pairs[i] >>> 24;
        }
        halves(pairs, ROWS * 8, weights, ROWS * WeightFormat.BLOCK_INPUTS);
      }
      default -> {
        for (int i = 0; i < PAIRS * 8; i++) {
          int to = i / PAIRS * 4 * ROWS + i % PAIRS;
          for (int j = 0; j < 4; j++, to += ROWS) {
            weights[to] = (pairs[i] >> 4 * j & 15) - 8;
            weights[to + PAIRS] = (pairs[i] >> 16 + 4 * j & 15) - 8;
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
