package dev.muninn.train;

import dev.muninn.decode.SplitMix;

/**
 * How often the recurrent block is applied in a step of training (arXiv 2502.05171, section 3.3):
 * {@code tau ~ N(log mean - sigma^2 / 2, sigma)}, {@code r ~ Poisson(e^tau) + 1}.
 *
 * @param mean expectation of e^tau; that of r is one more
 * @param sigma standard deviation of tau
 */
record RecurrenceSampler(double mean, double sigma) {
  /** The paper's sigma. */
  static final double SIGMA = 0.5;

  /** A Poisson number is drawn as a sum of ones of at most this mean: e^-mean must not vanish. */
  private static final double LARGEST = 500;

  RecurrenceSampler {
    if (!(mean > 0) || Double.isInfinite(mean) || !(sigma >= 0)) {
      throw new IllegalArgumentException("mean " + mean + ", sigma " + sigma);
    }
  }

  /** Draws r, at least 1. */
  int draw(SplitMix random) {
    double tau = Math.log(mean) - sigma * sigma / 2 + sigma * random.normal();
    return Math.toIntExact(poisson(Math.exp(tau), random) + 1);
  }

  /** The expectation of r. */
  double expectation() {
    return mean + 1;
  }

  /** The variance of r: that of a Poisson number plus that of its mean. */
  double variance() {
    return mean + mean * mean * Math.expm1(sigma * sigma);
  }

  /** By Knuth: how many uniform numbers it takes until their product falls below e^-lambda. */
  private static long poisson(double lambda, SplitMix random) {
    long sum = 0;
    for (double left = lambda; left > 0; left -= LARGEST) {
      double limit = Math.exp(-Math.min(left, LARGEST));
      for (double product = random.uniform(); product > limit; product *= random.uniform()) {
        sum++;
      }
    }
    return sum;
  }
}
