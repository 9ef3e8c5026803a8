package dev.muninn.train;

import dev.muninn.family.huginn.HuginnConfig;

/** What the forward of a sandwich block leaves for its backward; room for a number of rows. */
final class BlockActivations {
  private final int width;
  private final int intermediate;
  private final float[] queryKeyValue;
  private final float[] attended;
  private final float[] attentionSum;
  private final float[] middle;
  private final float[] gateUp;
  private final float[] mlpSum;
  private final float[] output;

  /** The block's input, [rows, h]; it stands elsewhere. */
  Rows input;

  BlockActivations(HuginnConfig config, int rows, boolean sandwich) {
    width = config.embeddingSize();
    intermediate = config.intermediateSize();
    queryKeyValue = new float[3 * rows * width];
    attended = new float[rows * width];
    attentionSum = new float[rows * width];
    gateUp = new float[2 * rows * intermediate];
    mlpSum = new float[rows * width];
    middle = sandwich ? new float[rows * width] : attentionSum;
    output = sandwich ? new float[rows * width] : mlpSum;
  }

  /** Turned queries, turned keys, values, [rows, 3h]. */
  Rows queryKeyValue(int rows) {
    return Rows.of(queryKeyValue, rows, 3 * width);
  }

  /** The output of the heads, [rows, h]. */
  Rows attended(int rows) {
    return Rows.of(attended, rows, width);
  }

  /** Input plus attention, [rows, h]. */
  Rows attentionSum(int rows) {
    return Rows.of(attentionSum, rows, width);
  }

  /** The residual stream between attention and MLP, [rows, h]. */
  Rows middle(int rows) {
    return Rows.of(middle, rows, width);
  }

  /** Gate and up, [rows, 2i]. */
  Rows gateUp(int rows) {
    return Rows.of(gateUp, rows, 2 * intermediate);
  }

  /** The middle plus the MLP, [rows, h]. */
  Rows mlpSum(int rows) {
    return Rows.of(mlpSum, rows, width);
  }

  /** The block's output, [rows, h]. */
  Rows output(int rows) {
    return Rows.of(output, rows, width);
  }
}
