package dev.muninn.cli.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Random;
import org.junit.jupiter.api.Test;

class StatisticsTest {

  @Test
  void sampleOfKnownNumbers() {
    Sample sample = new Sample(4, 1, 3, 2);
    assertEquals(2.5, sample.mean());
    assertEquals(Math.sqrt(5.0 / 3), sample.deviation(), 1e-15);
    assertEquals(2.5, sample.percentile(50));
    assertEquals(1, sample.percentile(0));
    assertEquals(4, sample.percentile(100));
    assertEquals(3.85, sample.percentile(95), 1e-12);
    assertEquals(0, new Sample(7).deviation());
    assertEquals(7, new Sample(7).percentile(99));
  }

  @Test
  void lineThroughPointsOnLineIsFound() {
    LinearFit fit = LinearFit.of(new double[] {1, 4, 16, 32}, new double[] {5, 11, 35, 67});
    assertEquals(3, fit.intercept(), 1e-12);
    assertEquals(2, fit.slope(), 1e-12);
    assertEquals(1, fit.rSquared(), 1e-12);
    assertEquals(0, fit.residual(), 1e-12);
  }

  @Test
  void noLineNearbyIsBetter() {
    Random random = new Random(0);
    double[] x = random.doubles(9, 1, 64).toArray();
    double[] y = random.doubles(9, 1, 10).toArray();
    LinearFit fit = LinearFit.of(x, y);
    double best = squares(fit.intercept(), fit.slope(), x, y);
    for (double[] step : new double[][] {{1e-3, 0}, {-1e-3, 0}, {0, 1e-4}, {0, -1e-4}}) {
      double other = squares(fit.intercept() + step[0], fit.slope() + step[1], x, y);
      assertEquals(best, Math.min(best, other));
    }
    double mean = new Sample(y).mean();
    assertEquals(Math.sqrt(best / 9) / mean, fit.residual(), 1e-12);
  }

  private static double squares(double intercept, double slope, double[] x, double[] y) {
    double sum = 0;
    for (int i = 0; i < x.length; i++) {
      double distance = y[i] - intercept - slope * x[i];
      sum += distance * distance;
    }
    return sum;
  }
}
