package dev.muninn.train;

import dev.muninn.decode.SplitMix;
import dev.muninn.family.huginn.HuginnConfig;
import java.util.Arrays;

/**
 * The initial weights (arXiv 2502.05171, section 4.2, after Takase et al., arXiv 2312.16903):
 * normal, truncated at three standard deviations, with variance 2 / (5 h); the output projections,
 * and the half of the MLP's first matrix that they multiply, with the standard deviation divided by
 * sqrt(2 l), where l is the mean number of blocks that a token passes. Norms are ones, biases
 * zeros.
 */
final class TakaseInit {
  private static final double BOUND = 3;

  private TakaseInit() {}

  /** Sets all values; a parameter's depend on the seed and its place among the parameters. */
  static void initialize(HuginnConfig config, Parameters parameters, long seed) {
    double wide = config.standardDeviation();
    double narrow = wide / Math.sqrt(2.0 * config.effectiveDepth(config.meanRecurrence()));
    SplitMix random = new SplitMix();
    int number = 0;
    for (Parameter parameter : parameters.all()) {
      random.seed(seed, number++);
      float[] values = parameter.values;
      if (!parameter.decays()) {
        Arrays.fill(values, parameter.shape.size() == 1 ? 1 : 0);
      } else if (parameter.name.endsWith("proj.weight")) {
        draw(values, 0, values.length, narrow, random);
      } else if (parameter.name.endsWith("fc.weight")) {
        draw(values, 0, values.length / 2, wide, random);
        draw(values, values.length / 2, values.length, narrow, random);
      } else {
        draw(values, 0, values.length, wide, random);
      }
    }
  }

  private static void draw(float[] values, int from, int to, double deviation, SplitMix random) {
    for (int i = from; i < to; i++) {
      values[i] = (float) (deviation * random.truncatedNormal(BOUND));
    }
  }
}
