package dev.muninn.train;

/**
 * AdamW (Loshchilov and Hutter, arXiv 1711.05101): weight decay apart from the gradient, on
 * matrices only.
 *
 * @param firstDecay beta_1, of the mean of the gradients
 * @param secondDecay beta_2, of the mean of their squares
 * @param epsilon added to the root of the latter
 * @param weightDecay lambda, which the learning rate multiplies
 */
record AdamW(double firstDecay, double secondDecay, double epsilon, double weightDecay) {

  /**
   * One step.
   *
   * @param number from 1 on
   * @param gradientScale what the gradients are multiplied by first, for clipping
   */
  Step step(long number, double learningRate, double gradientScale) {
    double firstCorrection = 1 - Math.pow(firstDecay, number);
    double secondCorrection = 1 - Math.pow(secondDecay, number);
    return new Step(
        (float) firstDecay,
        (float) (1 - firstDecay),
        (float) secondDecay,
        (float) (1 - secondDecay),
        (float) (1 / Math.sqrt(secondCorrection)),
        (float) epsilon,
        (float) (learningRate / firstCorrection),
        (float) (1 - learningRate * weightDecay),
        (float) gradientScale);
  }

  /** The factors of a step. */
  record Step(
      float keepFirst,
      float addFirst,
      float keepSecond,
      float addSecond,
      float rootScale,
      float epsilon,
      float rate,
      float keepWeight,
      float gradientScale) {

    /** Updates a range of a parameter by thread 0's gradient. */
    void update(Parameter parameter, int from, int end) {
      float[] values = parameter.values;
      float[] gradient = parameter.gradient(0);
      float[] first = parameter.firstMoment;
      float[] second = parameter.secondMoment;
      float keep = parameter.decays() ? keepWeight : 1;
      for (int i = from; i < end; i++) {
        float g = gradient[i] * gradientScale;
        float mean = keepFirst * first[i] + addFirst * g;
        float square = keepSecond * second[i] + addSecond * g * g;
        first[i] = mean;
        second[i] = square;
        float root = (float) Math.sqrt(square) * rootScale + epsilon;
        values[i] = keep * values[i] - rate * mean / root;
      }
    }
  }
}
