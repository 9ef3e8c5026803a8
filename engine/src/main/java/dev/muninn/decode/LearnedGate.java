package dev.muninn.decode;

import dev.muninn.backend.LatentComparison;
import dev.muninn.model.ExitGate;

/**
 * The model's own exit (arXiv 2510.25741, section 3). Behind recurrence t a row says with {@code
 * lambda_t = sigmoid(w . s_t + b)} that it is enough; it leaves with probability {@code p_t =
 * lambda_t prod_{s < t} (1 - lambda_s)}. Rows leave where the sum of p up to t, its mean over the
 * rows of a group, reaches the threshold. The last recurrence takes what is left.
 */
final class LearnedGate implements SummedCriterion {
  private final ExitGate gate;
  private final double threshold;

  /** Of each row: the probability that it has not left. */
  private double[] rest = new double[1];

  /** Of each row: the probability that it has left. */
  private double[] cumulated = new double[1];

  LearnedGate(ExitGate gate, double threshold) {
    this.gate = gate;
    this.threshold = threshold;
  }

  @Override
  public boolean readsLogits() {
    return false;
  }

  @Override
  public boolean measuresEveryRecurrence() {
    return true;
  }

  @Override
  public void begin(float[] latents, int rows, int width) {
    begin(rows);
  }

  @Override
  public void begin(int rows) {
    if (rest.length < rows) {
      rest = new double[rows];
      cumulated = new double[rows];
    }
    for (int row = 0; row < rows; row++) {
      rest[row] = 1;
      cumulated[row] = 0;
    }
  }

  @Override
  public double measure(float[] latents, int rows, int width, float[] logits) {
    float[] weight = gate.weight();
    double sum = 0;
    for (int row = 0; row < rows; row++) {
      double product = gate.bias();
      for (int i = 0; i < weight.length; i++) {
        product += (double) weight[i] * latents[row * width + i];
      }
      sum += cumulate(row, product);
    }
    return sum / rows;
  }

  @Override
  public double measure(float[] sums, int first, int rows) {
    double sum = 0;
    for (int row = 0; row < rows; row++) {
      float product = sums[(first + row) * LatentComparison.SUMS + LatentComparison.GATE];
      sum += cumulate(row, gate.bias() + (double) product);
    }
    return sum / rows;
  }

  /** The probability that a row has left behind one more recurrence. */
  private double cumulate(int row, double product) {
    double lambda = 1 / (1 + Math.exp(-product));
    cumulated[row] += rest[row] * lambda;
    rest[row] *= 1 - lambda;
    return cumulated[row];
  }

  @Override
  public boolean satisfied(double value) {
    return value >= threshold;
  }
}
