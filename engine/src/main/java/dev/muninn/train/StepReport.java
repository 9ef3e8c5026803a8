package dev.muninn.train;

/**
 * The result of one step of training.
 *
 * @param step from 1 on
 * @param loss mean cross-entropy of the step's labels, in nats, before its update
 * @param recurrence r; of the last batch, if several were accumulated
 * @param learningRate that the step was taken with
 * @param gradientNorm before it was clipped
 * @param tokens of the step's batches
 * @param nanos that the step took
 */
public record StepReport(
    long step,
    double loss,
    int recurrence,
    double learningRate,
    double gradientNorm,
    long tokens,
    long nanos) {

  /** Tokens trained on in a second. */
  public double tokensPerSecond() {
    return tokens * 1e9 / nanos;
  }
}
