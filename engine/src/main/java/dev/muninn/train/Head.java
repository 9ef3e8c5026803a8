package dev.muninn.train;

import dev.muninn.family.huginn.HuginnConfig;
import dev.muninn.kernel.Lanes;
import dev.muninn.kernel.RowKernels;
import dev.muninn.train.data.Batch;
import java.util.Arrays;

/**
 * The head and the cross-entropy behind it, together: logits exist for a few rows at a time only,
 * in the place of which their gradient comes.
 */
final class Head {
  /** Most logits that exist at once, if that is not less than a tile of rows. */
  private static final int MOST_LOGITS = 1 << 17;

  private final Linear linear;
  private final int vocabulary;

  Head(HuginnConfig config, Linear linear) {
    this.linear = linear;
    this.vocabulary = config.vocabularySize();
  }

  /** The buffers of a thread. */
  final class Pass {
    private final Rows logits;
    private final float[] line = new float[vocabulary + Lanes.COUNT];

    Pass(int rows) {
      int chunk = Math.min(rows, Math.max(4 * Products.TILE, MOST_LOGITS / vocabulary));
      logits = Rows.of(new float[chunk * vocabulary], chunk, vocabulary);
    }

    /**
     * The sum of the losses of the rows whose labels count.
     *
     * @param x [rows, h]
     * @param labels that of row i at {@code first + i}
     * @param weight what the gradient is multiplied by; the loss is not
     * @param dx gets the gradient of x, or null where none is wanted
     * @param predictions gets the likeliest token of each row at {@code first + i}, or null
     */
    double loss(
        Workspace space,
        Rows x,
        int[] labels,
        int first,
        float weight,
        Rows dx,
        int[] predictions) {
      double sum = 0;
      for (int from = 0; from < x.rows(); from += logits.rows()) {
        int count = Math.min(logits.rows(), x.rows() - from);
        Rows chunk = logits.rows(0, count);
        linear.forward(space.products, x.rows(from, count), chunk);
        for (int row = 0; row < count; row++) {
          int index = first + from + row;
          sum += row(row * vocabulary, labels[index], weight, index, predictions);
        }
        if (dx != null) {
          linear.backwardInput(space.products, chunk, dx.rows(from, count));
          linear.backwardWeight(space.products, chunk, x.rows(from, count), space.thread);
        }
      }
      return sum;
    }

    private double row(int at, int label, float weight, int index, int[] predictions) {
      float[] data = logits.data();
      if (label == Batch.IGNORED) {
        Arrays.fill(data, at, at + vocabulary, 0);
        return 0;
      }
      int best = 0;
      for (int i = 1; i < vocabulary; i++) {
        if (data[at + i] > data[at + best]) {
          best = i;
        }
      }
      if (predictions != null) {
        predictions[index] = best;
      }
      System.arraycopy(data, at, line, 0, vocabulary);
      float total = RowKernels.exponentiate(line, vocabulary);
      double loss = Math.log(total) + data[at + best] - data[at + label];
      float factor = weight / total;
      for (int i = 0; i < vocabulary; i++) {
        data[at + i] = line[i] * factor;
      }
      data[at + label] -= weight;
      return loss;
    }
  }
}
