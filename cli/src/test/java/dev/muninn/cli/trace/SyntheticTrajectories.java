package dev.muninn.cli.trace;

import java.util.Random;

/** Trajectories whose kind is known, in directions drawn at random. */
final class SyntheticTrajectories {
  private final Random random;
  private final int points;
  private final int dimensions;

  SyntheticTrajectories(long seed, int points, int dimensions) {
    this.random = new Random(seed);
    this.points = points;
    this.dimensions = dimensions;
  }

  /** Points that come to rest: size * rate^i along a direction. */
  double[][] approach(double size, double rate) {
    double[] direction = direction();
    double[][] trajectory = new double[points][dimensions];
    for (int i = 0; i < points; i++) {
      addTo(trajectory[i], direction, size * Math.pow(rate, i));
    }
    return trajectory;
  }

  /** Points that come to rest in a spiral. */
  double[][] spiral(double size, double rate, double angle) {
    double[][] trajectory = orbit(size, 1, angle);
    for (int i = 0; i < points; i++) {
      for (int axis = 0; axis < dimensions; axis++) {
        trajectory[i][axis] *= Math.pow(rate, i);
      }
    }
    return trajectory;
  }

  /** Points that go round an ellipse by an angle a step. */
  double[][] orbit(double size, double axisRatio, double angle) {
    double[] first = direction();
    double[] second = orthogonal(first);
    double phase = 2 * Math.PI * random.nextDouble();
    double[][] trajectory = new double[points][dimensions];
    for (int i = 0; i < points; i++) {
      addTo(trajectory[i], first, size * Math.cos(phase + i * angle));
      addTo(trajectory[i], second, size * axisRatio * Math.sin(phase + i * angle));
    }
    return trajectory;
  }

  /** Points that move on by the same step. */
  double[][] drift(double step) {
    double[] direction = direction();
    double[][] trajectory = new double[points][dimensions];
    for (int i = 0; i < points; i++) {
      addTo(trajectory[i], direction, step * i);
    }
    return trajectory;
  }

  /** Points without any order. */
  double[][] noise(double deviation) {
    double[][] trajectory = new double[points][dimensions];
    for (double[] point : trajectory) {
      for (int axis = 0; axis < dimensions; axis++) {
        point[axis] = deviation * random.nextGaussian();
      }
    }
    return trajectory;
  }

  /** The sum of trajectories, at a place drawn at random. */
  double[][] sum(double[][]... trajectories) {
    double[][] sum = new double[points][dimensions];
    double[] place = direction();
    for (int i = 0; i < points; i++) {
      addTo(sum[i], place, 10);
      for (double[][] trajectory : trajectories) {
        addTo(sum[i], trajectory[i], 1);
      }
    }
    return sum;
  }

  /** Adds noise whose power is so many decibels below that of the movement about its mean. */
  double[][] withNoise(double[][] trajectory, double decibels) {
    double power = 0;
    for (int axis = 0; axis < dimensions; axis++) {
      double mean = 0;
      for (double[] point : trajectory) {
        mean += point[axis] / points;
      }
      for (double[] point : trajectory) {
        power += (point[axis] - mean) * (point[axis] - mean) / points;
      }
    }
    return sum(trajectory, noise(Math.sqrt(power / dimensions * Math.pow(10, -decibels / 10))));
  }

  private double[] direction() {
    double[] direction = new double[dimensions];
    for (int axis = 0; axis < dimensions; axis++) {
      direction[axis] = random.nextGaussian();
    }
    return normed(direction);
  }

  private double[] orthogonal(double[] other) {
    double[] direction = direction();
    double product = 0;
    for (int axis = 0; axis < dimensions; axis++) {
      product += direction[axis] * other[axis];
    }
    addTo(direction, other, -product);
    return normed(direction);
  }

  private static double[] normed(double[] direction) {
    double squares = 0;
    for (double value : direction) {
      squares += value * value;
    }
    for (int axis = 0; axis < direction.length; axis++) {
      direction[axis] /= Math.sqrt(squares);
    }
    return direction;
  }

  private static void addTo(double[] point, double[] direction, double factor) {
    for (int axis = 0; axis < point.length; axis++) {
      point[axis] += factor * direction[axis];
    }
  }
}
