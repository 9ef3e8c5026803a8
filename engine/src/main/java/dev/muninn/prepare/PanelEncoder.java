package dev.muninn.prepare;

import dev.muninn.family.PanelTensor;
import dev.muninn.kernel.ScalarKernels;
import dev.muninn.model.WeightFormat;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/** Writes the weights of a panel as a format has them. FORMAT.md of the loader has the layout. */
final class PanelEncoder {
  private static final int PANEL = PanelTensor.PANEL;
  private static final int BLOCK = PanelTensor.BLOCK;
  private static final int GROUP = 4;

  private static final int Q8_MOST = 127;

  /** The byte of a weight of zero. */
  private static final int Q8_ZERO = 128;

  private static final int Q4_MOST = 7;
  private static final int Q4_LEAST = -8;

  /** What the value of most weight is divided by, for scales to choose from. */
  private static final float[] Q8_DIVISORS = {127, 126.5f, 126, 125};

  private static final float[] Q4_DIVISORS = {
    -9f, -8.6f, -8.3f, -8f, -7.7f, -7.4f, -7.1f, -6.8f, -6.4f, -6f
  };

  private final PanelTensor tensor;

  /** Null if all inputs are alike. */
  private final ErrorFeedback feedback;

  private final float[] values = new float[BLOCK];
  private final float[] importance = new float[BLOCK];
  private final int[] quantized = new int[BLOCK];
  private final int[] best = new int[BLOCK];
  private final byte[] block;

  /**
   * An encoder for one thread.
   *
   * @param feedback what is known of the inputs, or null
   */
  PanelEncoder(PanelTensor tensor, ErrorFeedback feedback) {
    this.tensor = tensor;
    this.feedback = feedback;
    this.block = new byte[tensor.format().blockBytes()];
  }

  /**
   * Writes a panel.
   *
   * @param weights rows of the panel, [at most 32][inputs]; what is missing is padding. They are
   *     changed if there is feedback
   * @param rows how many there are
   * @param target gets {@link PanelTensor#panelBytes}
   */
  void encode(float[][] weights, int rows, ByteBuffer target) {
    target.order(ByteOrder.LITTLE_ENDIAN);
    if (tensor.format() == WeightFormat.BF16_PANELS) {
      encodeBf16(weights, rows, target);
      return;
    }
    int from = 0;
    for (int inputs : tensor.inputParts()) {
      for (int at = 0; at < inputs; at += BLOCK) {
        encodeBlock(weights, rows, from + at, Math.min(BLOCK, inputs - at));
        target.put(block);
      }
      from += inputs;
    }
  }

  private void encodeBf16(float[][] weights, int rows, ByteBuffer target) {
    for (int input = 0; input < tensor.inputs(); input++) {
      for (int row = 0; row < rows; row++) {
        int at = input * PANEL + place(row);
        target.putShort(Short.BYTES * at, ScalarKernels.bf16(weights[row][input]));
      }
    }
    target.position(Math.toIntExact(tensor.panelBytes()));
  }

  private void encodeBlock(float[][] weights, int rows, int from, int count) {
    ByteBuffer bytes = ByteBuffer.wrap(block).order(ByteOrder.LITTLE_ENDIAN);
    boolean q4 = tensor.format() == WeightFormat.Q4;
    int least = q4 ? Q4_LEAST : -Q8_MOST;
    int most = q4 ? Q4_MOST : Q8_MOST;
    Arrays.fill(block, (byte) 0);
    for (int i = 0; i < BLOCK; i++) {
      importance[i] = feedback == null || i >= count ? 1 : feedback.importance(from + i);
    }
    int scales = tensor.format().blockBytes() - Short.BYTES * PANEL;
    for (int row = 0; row < PANEL; row++) {
      int place = place(row);
      for (int i = 0; i < BLOCK; i++) {
        values[i] = row < rows && i < count ? weights[row][from + i] : 0;
      }
      float scale = quantize(q4 ? Q4_DIVISORS : Q8_DIVISORS, least, most);
      if (feedback != null && row < rows && scale != 0) {
        roundInTurn(weights[row], from, count, scale, least, most);
      }
      bytes.putShort(scales + Short.BYTES * place, ScalarKernels.bf16(scale));
      for (int i = 0; i < BLOCK; i++) {
        if (q4) {
          // A lane of 16 bits has four inputs of its row.
          int at = i / GROUP * Short.BYTES * PANEL + Short.BYTES * place;
          int nibble = best[i] - Q4_LEAST << 4 * (i % GROUP);
          bytes.putShort(at, (short) (bytes.getShort(at) | nibble));
        } else {
          int at = (i / GROUP * PANEL + row) * GROUP + i % GROUP;
          bytes.put(at, (byte) (best[i] + Q8_ZERO));
        }
      }
    }
  }

  /** Chooses {@link #best} input by input: each makes up for the errors of those before. */
  private void roundInTurn(float[] row, int from, int count, float scale, int least, int most) {
    float inverse = 1 / scale;
    for (int i = 0; i < count; i++) {
      float weight = row[from + i];
      best[i] = Math.clamp(Math.round(weight * inverse), least, most);
      feedback.spread(from + i, weight - best[i] * scale, row);
    }
  }

  /**
   * Chooses the scale, and whole numbers {@link #best}, of the least sum of squared errors, each
   * times its importance, among some: for each divisor of the largest value the numbers that it
   * gives, and for these the best scale there is.
   *
   * @return a number of BF16
   */
  private float quantize(float[] divisors, int least, int most) {
    float largest = 0;
    for (float value : values) {
      if (Math.abs(value) > Math.abs(largest)) {
        largest = value;
      }
    }
    float scale = 0;
    double gain = 0;
    for (float divisor : divisors) {
      float candidate = round(largest / divisor);
      if (candidate == 0 || !Float.isFinite(1 / candidate)) {
        continue;
      }
      fill(candidate, least, most);
      float fitted = fit(candidate);
      double better = gain(fitted);
      if (better > gain) {
        gain = better;
        scale = fitted;
      }
    }
    if (scale == 0) {
      Arrays.fill(best, 0);
      return 0;
    }
    fill(scale, least, most);
    System.arraycopy(quantized, 0, best, 0, BLOCK);
    return scale;
  }

  private void fill(float scale, int least, int most) {
    float inverse = 1 / scale;
    for (int i = 0; i < BLOCK; i++) {
      quantized[i] = Math.clamp(Math.round(values[i] * inverse), least, most);
    }
  }

  /** The scale with the least squared error for the numbers as they are. */
  private float fit(float candidate) {
    double product = 0;
    double square = 0;
    for (int i = 0; i < BLOCK; i++) {
      double weighted = (double) importance[i] * quantized[i];
      product += weighted * values[i];
      square += weighted * quantized[i];
    }
    float fitted = square == 0 ? candidate : round((float) (product / square));
    return fitted == 0 || !Float.isFinite(1 / fitted) ? candidate : fitted;
  }

  /** How much the squared error is below that of all zeros. */
  private double gain(float scale) {
    double gain = 0;
    for (int i = 0; i < BLOCK; i++) {
      double found = (double) quantized[i] * scale;
      gain += importance[i] * found * (2 * values[i] - found);
    }
    return gain;
  }

  private static float round(float value) {
    return Float.intBitsToFloat(ScalarKernels.bf16(value) << Short.SIZE);
  }

  /**
   * Where a row stands among 32 numbers of 16 bits: row i and row i + 16 side by side, so that a
   * vector of ints splits into rows 0 to 15 and rows 16 to 31.
   */
  private static int place(int row) {
    int half = PANEL / 2;
    return row < half ? 2 * row : 2 * (row - half) + 1;
  }
}
