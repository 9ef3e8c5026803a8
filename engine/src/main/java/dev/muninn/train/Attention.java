package dev.muninn.train;

import dev.muninn.family.huginn.HuginnConfig;
import dev.muninn.kernel.RotaryTable;
import dev.muninn.kernel.RowKernels;
import java.util.Arrays;

/**
 * Causal attention over whole sequences: biases and rotary positions on queries and keys, then the
 * softmax of the scaled scores over the values. The rows are those of several sequences of the same
 * length, one after the other; a row has its query, its key and its value.
 *
 * <p>The probabilities are computed again in the backward: keeping them would take length times
 * heads values a row.
 */
final class Attention {
  /** Rows of scores that are computed together; what lies right of their end is left out. */
  private static final int BLOCK = 64;

  private final Parameter bias;
  private final float[] biasValues;
  private final RotaryTable rotary;
  private final float[] negatedSines;
  private final float[] noBias;
  private final int width;
  private final int heads;
  private final int size;
  private final float scale;

  /**
   * @param bias of the queries and the keys, [2, 1, heads, head size], or null
   * @param negatedSines the rotary table's, of the other sign: they turn back
   */
  Attention(HuginnConfig config, Parameter bias, RotaryTable rotary, float[] negatedSines) {
    this.bias = bias;
    this.rotary = rotary;
    this.negatedSines = negatedSines;
    this.width = config.embeddingSize();
    this.heads = config.heads();
    this.size = config.headSize();
    this.scale = (float) (1 / Math.sqrt(size));
    this.noBias = new float[size];
    this.biasValues = bias == null ? new float[2 * width] : bias.values;
  }

  /**
   * Replaces queries and keys by their turned ones, and computes what they attend to.
   *
   * @param queryKeyValue [rows, 3h]
   * @param attended gets [rows, h]
   */
  void forward(Workspace space, Rows queryKeyValue, Rows attended, int length) {
    for (int row = 0; row < queryKeyValue.rows(); row++) {
      int at = queryKeyValue.from() + row * queryKeyValue.stride();
      int table = rotary.offset(row % length);
      for (int part = 0; part < 2 * heads; part++) {
        int from = at + part * size;
        RowKernels.rotate(
            queryKeyValue.data(),
            from,
            biasValues,
            part * size,
            rotary.cosines(),
            rotary.sines(),
            table,
            space.head,
            size);
        System.arraycopy(space.head, 0, queryKeyValue.data(), from, size);
      }
    }
    for (int first = 0; first < queryKeyValue.rows(); first += length) {
      Rows sequence = queryKeyValue.rows(first, length);
      for (int head = 0; head < heads; head++) {
        probabilities(space, sequence, head);
        Rows value = value(sequence, head);
        Rows out = attended.rows(first, length).columns(head * size, size);
        for (int row = 0; row < length; row += BLOCK) {
          int end = Math.min(length, row + BLOCK);
          space.products.multiply(
              square(space.probabilities, length).rows(row, end - row).columns(0, end),
              value.rows(0, end),
              out.rows(row, end - row));
        }
      }
    }
  }

  /**
   * The gradient of the queries, keys and values before biases and positions.
   *
   * @param queryKeyValue as forward left it
   * @param gradient of what was attended to, [rows, h]
   * @param result gets [rows, 3h]
   */
  void backward(Workspace space, Rows queryKeyValue, Rows gradient, Rows result, int length) {
    for (int first = 0; first < queryKeyValue.rows(); first += length) {
      Rows sequence = queryKeyValue.rows(first, length);
      Rows sequenceResult = result.rows(first, length);
      for (int head = 0; head < heads; head++) {
        backwardHead(
            space,
            sequence,
            head,
            gradient.rows(first, length).columns(head * size, size),
            sequenceResult);
      }
    }
    for (int row = 0; row < result.rows(); row++) {
      int at = result.from() + row * result.stride();
      int table = rotary.offset(row % length);
      for (int part = 0; part < 2 * heads; part++) {
        int from = at + part * size;
        RowKernels.rotate(
            result.data(),
            from,
            noBias,
            0,
            rotary.cosines(),
            negatedSines,
            table,
            space.head,
            size);
        System.arraycopy(space.head, 0, result.data(), from, size);
      }
      if (bias != null) {
        RowKernels.add(bias.gradient(space.thread), 0, result.data(), at, 2 * width);
      }
    }
  }

  private void backwardHead(
      Workspace space, Rows sequence, int head, Rows gradient, Rows sequenceResult) {
    int length = sequence.rows();
    probabilities(space, sequence, head);
    turn(space, value(sequence, head));
    Rows turnedValues = Rows.of(space.turned, size, length);
    Rows scores = square(space.probabilityGradient, length);
    for (int row = 0; row < length; row += BLOCK) {
      int end = Math.min(length, row + BLOCK);
      space.products.multiply(
          gradient.rows(row, end - row),
          turnedValues.columns(0, end),
          scores.rows(row, end - row).columns(0, end));
    }
    Rows probabilities = square(space.probabilities, length);
    space.products.multiplyTransposed(probabilities, gradient, value(sequenceResult, head));
    for (int row = 0; row < length; row++) {
      int at = row * length;
      space.kernels.softmaxBackward(
          space.probabilities, at, space.probabilityGradient, at, row + 1, scale);
      Arrays.fill(space.probabilityGradient, at + row + 1, at + length, 0);
    }
    Rows queryGradient = query(sequenceResult, head);
    for (int row = 0; row < length; row += BLOCK) {
      int end = Math.min(length, row + BLOCK);
      space.products.multiply(
          scores.rows(row, end - row).columns(0, end),
          key(sequence, head).rows(0, end),
          queryGradient.rows(row, end - row));
    }
    space.products.multiplyTransposed(scores, query(sequence, head), key(sequenceResult, head));
  }

  /** The workspace's probabilities get those of a head: zero right of the diagonal. */
  private void probabilities(Workspace space, Rows sequence, int head) {
    int length = sequence.rows();
    turn(space, key(sequence, head));
    Rows turnedKeys = Rows.of(space.turned, size, length);
    Rows scores = square(space.probabilities, length);
    Rows query = query(sequence, head);
    for (int row = 0; row < length; row += BLOCK) {
      int end = Math.min(length, row + BLOCK);
      space.products.multiply(
          query.rows(row, end - row),
          turnedKeys.columns(0, end),
          scores.rows(row, end - row).columns(0, end));
    }
    float[] line = space.scores;
    for (int row = 0; row < length; row++) {
      int at = row * length;
      int count = row + 1;
      for (int i = 0; i < count; i++) {
        line[i] = space.probabilities[at + i] * scale;
      }
      float factor = 1 / RowKernels.exponentiate(line, count);
      for (int i = 0; i < count; i++) {
        space.probabilities[at + i] = line[i] * factor;
      }
      Arrays.fill(space.probabilities, at + count, at + length, 0);
    }
  }

  private void turn(Workspace space, Rows rows) {
    int length = rows.rows();
    for (int row = 0; row < length; row++) {
      int at = rows.from() + row * rows.stride();
      for (int i = 0; i < size; i++) {
        space.turned[i * length + row] = rows.data()[at + i];
      }
    }
  }

  private static Rows square(float[] data, int length) {
    return Rows.of(data, length, length);
  }

  private Rows query(Rows queryKeyValue, int head) {
    return queryKeyValue.columns(head * size, size);
  }

  private Rows key(Rows queryKeyValue, int head) {
    return queryKeyValue.columns(width + head * size, size);
  }

  private Rows value(Rows queryKeyValue, int head) {
    return queryKeyValue.columns(2 * width + head * size, size);
  }
}
