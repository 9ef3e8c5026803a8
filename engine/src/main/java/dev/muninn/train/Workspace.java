package dev.muninn.train;

import dev.muninn.family.huginn.HuginnConfig;
import dev.muninn.kernel.Lanes;

/** What a thread computes with: kernels with their buffers, and rows that no backward needs. */
final class Workspace {
  final int thread;
  final Products products = new Products();
  final GradientKernels kernels = new GradientKernels();

  /** Outputs of the norms before attention and MLP, and their gradients. */
  private final float[] normed;

  private final float[] hidden;
  private final float[] hiddenGradient;
  private final float[] gateUpGradient;
  private final float[] queryKeyValueGradient;
  private final float[] attendedGradient;
  private final int width;
  private final int intermediate;

  /** A head's keys or values by columns, [head size, length]. */
  final float[] turned;

  /** Attention probabilities and their gradient, [length, length]. */
  final float[] probabilities;

  final float[] probabilityGradient;

  /** A row of scores, with room for a vector behind it. */
  final float[] scores;

  /** A head of a row. */
  final float[] head;

  /**
   * Room for {@code rows} rows.
   *
   * @param length positions of the longest sequence
   */
  Workspace(HuginnConfig config, int thread, int rows, int length) {
    this.thread = thread;
    width = config.embeddingSize();
    intermediate = config.intermediateSize();
    normed = new float[rows * width];
    hidden = new float[rows * intermediate];
    hiddenGradient = new float[hidden.length];
    gateUpGradient = new float[2 * hidden.length];
    queryKeyValueGradient = new float[3 * rows * width];
    attendedGradient = new float[rows * width];
    turned = new float[config.headSize() * length];
    probabilities = new float[length * length];
    probabilityGradient = new float[length * length];
    scores = new float[length + Lanes.COUNT];
    head = new float[config.headSize()];
  }

  Rows normed(int rows) {
    return Rows.of(normed, rows, width);
  }

  Rows hidden(int rows) {
    return Rows.of(hidden, rows, intermediate);
  }

  Rows hiddenGradient(int rows) {
    return Rows.of(hiddenGradient, rows, intermediate);
  }

  Rows gateUpGradient(int rows) {
    return Rows.of(gateUpGradient, rows, 2 * intermediate);
  }

  Rows queryKeyValueGradient(int rows) {
    return Rows.of(queryKeyValueGradient, rows, 3 * width);
  }

  Rows attendedGradient(int rows) {
    return Rows.of(attendedGradient, rows, width);
  }
}
