package dev.muninn.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.decode.SplitMix;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The distribution of r against its mean and variance, and against its very probabilities. */
class RecurrenceSamplerTest {
  private static final int DRAWS = 400_000;

  @ParameterizedTest
  @CsvSource({"1, 0.5", "4, 0.5", "8, 0.5", "32, 0.5", "32, 0", "1500, 0.1"})
  void meanAndVarianceAreTheAnalyticOnes(double mean, double sigma) {
    RecurrenceSampler sampler = new RecurrenceSampler(mean, sigma);
    SplitMix random = new SplitMix();
    random.seed(42);
    int draws = mean > 100 ? DRAWS / 50 : DRAWS;
    double sum = 0;
    double squares = 0;
    for (int i = 0; i < draws; i++) {
      int r = sampler.draw(random);
      assertTrue(r >= 1);
      sum += r;
      squares += (double) r * r;
    }
    double found = sum / draws;
    double deviation = Math.sqrt(sampler.variance() / draws);
    assertEquals(mean + 1, sampler.expectation());
    assertEquals(sampler.expectation(), found, 5 * deviation);
    // The variance of a variance depends on the tail, which is long.
    assertEquals(1, (squares / draws - found * found) / sampler.variance(), 0.05);
  }

  @ParameterizedTest
  @CsvSource({"2", "6"})
  void withoutSpreadItIsPoissonPlusOne(double mean) {
    RecurrenceSampler sampler = new RecurrenceSampler(mean, 0);
    SplitMix random = new SplitMix();
    random.seed(7);
    int[] counts = new int[200];
    for (int i = 0; i < DRAWS; i++) {
      counts[sampler.draw(random)]++;
    }
    double probability = Math.exp(-mean);
    for (int r = 1; r < 15; r++) {
      double deviation = Math.sqrt(probability * DRAWS);
      assertEquals(probability * DRAWS, counts[r], 5 * deviation + 1, "r = " + r);
      probability *= mean / r;
    }
  }
}
