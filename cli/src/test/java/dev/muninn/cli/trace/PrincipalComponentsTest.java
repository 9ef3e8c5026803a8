package dev.muninn.cli.trace;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Against power iteration on the covariance matrix, which shares no code with it. */
class PrincipalComponentsTest {

  @ParameterizedTest
  @CsvSource({"3,1", "4,3", "9,5", "12,40", "33,17", "65,64"})
  void componentsAreThoseOfTheCovarianceMatrix(int count, int dimensions) {
    Random random = new Random(count);
    float[][] points = new float[count][dimensions];
    for (int i = 0; i < dimensions; i++) {
      // Axes of different sizes, mixed below, so that eigenvalues differ.
      double size = Math.pow(0.6, i);
      for (float[] point : points) {
        point[i] = (float) (5 + size * random.nextGaussian());
      }
    }
    for (float[] point : points) {
      for (int i = 1; i < dimensions; i++) {
        point[i] += 0.5f * point[i - 1];
      }
    }
    PrincipalComponents components = PrincipalComponents.of(points);
    double[] mean = new double[dimensions];
    for (float[] point : points) {
      for (int i = 0; i < dimensions; i++) {
        mean[i] += point[i] / (double) count;
      }
    }
    double[][] covariance = new double[dimensions][dimensions];
    for (float[] point : points) {
      for (int i = 0; i < dimensions; i++) {
        for (int j = 0; j < dimensions; j++) {
          covariance[i][j] += (point[i] - mean[i]) * (point[j] - mean[j]) / count;
        }
      }
    }
    double sum = 0;
    for (int i = 0; i < dimensions; i++) {
      sum += covariance[i][i];
    }
    int wanted = Math.min(6, Math.min(dimensions, count - 1));
    for (int component = 0; component < wanted; component++) {
      double[] axis = iterate(covariance, random);
      double variance = product(axis, times(covariance, axis));
      assertEquals(variance, components.variances()[component], 1e-6 * sum);
      assertEquals(variance / sum, components.share(component), 1e-6);
      double sign = 0;
      for (int point = 0; point < count; point++) {
        double expected = 0;
        for (int i = 0; i < dimensions; i++) {
          expected += (points[point][i] - mean[i]) * axis[i];
        }
        if (sign == 0 && Math.abs(expected) > 1e-3) {
          sign = Math.signum(expected) * Math.signum(components.coordinate(point, component));
        }
        assertEquals(
            expected, sign * components.coordinate(point, component), 1e-4 * Math.sqrt(sum));
      }
      for (int i = 0; i < dimensions; i++) {
        for (int j = 0; j < dimensions; j++) {
          covariance[i][j] -= variance * axis[i] * axis[j];
        }
      }
    }
  }

  private static double[] iterate(double[][] matrix, Random random) {
    double[] vector = new double[matrix.length];
    for (int i = 0; i < vector.length; i++) {
      vector[i] = random.nextGaussian();
    }
    for (int round = 0; round < 5000; round++) {
      double[] next = times(matrix, vector);
      double norm = Math.sqrt(product(next, next));
      for (int i = 0; i < vector.length; i++) {
        vector[i] = next[i] / norm;
      }
    }
    return vector;
  }

  private static double[] times(double[][] matrix, double[] vector) {
    double[] result = new double[vector.length];
    for (int i = 0; i < vector.length; i++) {
      result[i] = product(matrix[i], vector);
    }
    return result;
  }

  private static double product(double[] x, double[] y) {
    double sum = 0;
    for (int i = 0; i < x.length; i++) {
      sum += x[i] * y[i];
    }
    return sum;
  }

  @Test
  void distancesStay() {
    double[][] points = new SyntheticTrajectories(4, 20, 50).noise(1);
    double[][] coordinates = PrincipalComponents.of(points).coordinates();
    for (int a = 0; a < 20; a++) {
      for (int b = 0; b < a; b++) {
        assertEquals(
            distance(points[a], points[b]), distance(coordinates[a], coordinates[b]), 1e-9);
      }
    }
  }

  private static double distance(double[] x, double[] y) {
    double sum = 0;
    for (int i = 0; i < x.length; i++) {
      sum += (x[i] - y[i]) * (x[i] - y[i]);
    }
    return Math.sqrt(sum);
  }

  @Test
  void pointsWithoutMovementHaveNone() {
    PrincipalComponents components = PrincipalComponents.of(new float[][] {{2, 3}, {2, 3}, {2, 3}});
    assertEquals(0, components.variances()[0]);
    assertEquals(0, components.share(0));
    assertEquals(0, components.coordinate(1, 0));
    assertEquals(0, components.coordinate(1, 5));
  }

  /** A line has one eigenvalue and many zeros, on which eigensolvers have been seen to fail. */
  @Test
  void linesAndCurvesOfAnySizeConverge() {
    for (int points : new int[] {2, 3, 9, 17, 33, 65, 129}) {
      for (int dimensions : new int[] {2, 4, 80}) {
        SyntheticTrajectories synthetic = new SyntheticTrajectories(points, points, dimensions);
        for (double size : new double[] {1e-20, 1e-3, 1, 1e12}) {
          PrincipalComponents line = PrincipalComponents.of(synthetic.drift(size));
          assertEquals(1, line.share(0), 1e-9);
          for (double rate : new double[] {0.3, 0.8, 0.95}) {
            PrincipalComponents curve =
                PrincipalComponents.of(
                    PrincipalComponents.of(synthetic.approach(size, rate)).coordinates());
            assertTrue(curve.share(0) > 0.999);
          }
        }
      }
    }
  }
}
