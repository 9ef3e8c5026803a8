package dev.muninn.tornado.kernel;

import dev.muninn.kernel.Lanes;
import dev.muninn.kernel.RotaryTable;
import dev.muninn.kernel.ScalarKernels;
import dev.muninn.model.Rotary;
import java.util.Arrays;

/** The engine's scalar kernels, for tests of other backends. */
final class ScalarTwins {
  private ScalarTwins() {}

  /** {@code ScalarKernels.norm} of a row. */
  static float[] norm(float[] row, float[] scale, float epsilon) {
    float[] out = new float[row.length];
    ScalarKernels.norm(row, 0, scale, epsilon, out, 0, row.length, new float[Lanes.COUNT]);
    return out;
  }

  /** {@code ScalarKernels.gate} of a row. */
  static float[] gate(float[] gate, float[] up) {
    float[] hidden = new float[gate.length];
    ScalarKernels.gate(gate, 0, up, 0, hidden, 0, gate.length);
    return hidden;
  }

  /** {@code ScalarKernels.rotate} or {@code rotateHalves} of a head. */
  static float[] rotate(float[] head, float[] bias, RotaryTable table, int position) {
    float[] out = new float[head.length];
    int at = table.offset(position);
    if (table.layout() == Rotary.Layout.PAIRS) {
      ScalarKernels.rotate(head, 0, bias, 0, table.cosines(), table.sines(), at, out, head.length);
    } else {
      ScalarKernels.rotateHalves(
          head, 0, bias, 0, table.cosines(), table.sines(), at, out, head.length);
    }
    return out;
  }

  /** Shares of scores, by {@code ScalarKernels.exponentiate}. */
  static float[] shares(float[] scores) {
    float[] shares = scores.clone();
    float sum = ScalarKernels.exponentiate(shares, shares.length, new float[Lanes.COUNT]);
    for (int i = 0; i < shares.length; i++) {
      shares[i] /= sum;
    }
    return shares;
  }

  /** A product, in doubles. */
  static float[] product(float[][] weights, float[] input) {
    float[] out = new float[weights.length];
    for (int o = 0; o < out.length; o++) {
      double sum = 0;
      for (int i = 0; i < input.length; i++) {
        sum += (double) weights[o][i] * input[i];
      }
      out[o] = (float) sum;
    }
    return out;
  }

  /** The nearest BF16, to even between two. */
  static float bf16(float value) {
    int bits = Float.floatToIntBits(value);
    return Float.intBitsToFloat(bits + 0x7FFF + (bits >>> 16 & 1) & 0xFFFF0000);
  }

  /**
   * A product with weights in BF16 on tensor cores: inputs are split in a high and a low BF16, and
   * of sixteen columns at a time first the high halves are summed in floats, then the low ones.
   */
  static float[] splitProduct(float[][] weights, float[] input) {
    float[] out = new float[weights.length];
    for (int o = 0; o < out.length; o++) {
      float sum = 0;
      for (int from = 0; from < input.length; from += TensorKernels.COLUMNS) {
        int to = from + TensorKernels.COLUMNS;
        for (int i = from; i < to; i++) {
          sum += weights[o][i] * bf16(input[i]);
        }
        for (int i = from; i < to; i++) {
          sum += weights[o][i] * bf16(input[i] - bf16(input[i]));
        }
      }
      out[o] = sum;
    }
    return out;
  }

  /** A part of a row. */
  static float[] part(float[] row, int from, int size) {
    return Arrays.copyOfRange(row, from, from + size);
  }
}
