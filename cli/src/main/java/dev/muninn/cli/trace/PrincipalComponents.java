package dev.muninn.cli.trace;

import java.util.Arrays;
import java.util.Comparator;
import org.ejml.data.DMatrixRMaj;
import org.ejml.dense.row.factory.DecompositionFactory_DDRM;
import org.ejml.interfaces.decomposition.EigenDecomposition_F64;

/**
 * The principal components of a trajectory: the points, less their mean, in axes of falling
 * variance. Distances between points are those of the space they came from.
 *
 * <p>A trajectory has far fewer points than dimensions, so the axes come from the eigenvectors of
 * the points' Gram matrix, [points, points].
 *
 * @param coordinates of each point, [points][components]
 * @param variances the mean square of each component's coordinates, falling
 */
public record PrincipalComponents(double[][] coordinates, double[] variances) {
  /** Of the eigenvalues, relative to their sum: far below what single-precision states hold. */
  private static final double SHIFT = 1e-12;

  /** The components of points in any number of dimensions, [points][dimensions]. */
  public static PrincipalComponents of(float[][] points) {
    double[][] doubles = new double[points.length][points[0].length];
    for (int point = 0; point < points.length; point++) {
      for (int i = 0; i < points[point].length; i++) {
        doubles[point][i] = points[point][i];
      }
    }
    return centred(doubles);
  }

  /** The components of points in any number of dimensions, [points][dimensions]. */
  static PrincipalComponents of(double[][] points) {
    double[][] copy = new double[points.length][];
    for (int point = 0; point < points.length; point++) {
      copy[point] = points[point].clone();
    }
    return centred(copy);
  }

  /** Overwrites the points. */
  private static PrincipalComponents centred(double[][] points) {
    int count = points.length;
    int dimensions = points[0].length;
    for (int i = 0; i < dimensions; i++) {
      double mean = 0;
      for (double[] point : points) {
        mean += point[i];
      }
      mean /= count;
      for (double[] point : points) {
        point[i] -= mean;
      }
    }
    // The points' mean is gone, and with it one of their dimensions.
    int components = Math.min(dimensions, Math.max(1, count - 1));
    double[][] coordinates = new double[count][components];
    double[] variances = new double[components];
    double squares = 0;
    for (double[] point : points) {
      squares += product(point, point);
    }
    if (squares == 0) {
      return new PrincipalComponents(coordinates, variances);
    }
    DMatrixRMaj gram = new DMatrixRMaj(count, count);
    for (int row = 0; row < count; row++) {
      for (int column = 0; column <= row; column++) {
        double product = product(points[row], points[column]) / squares;
        gram.set(row, column, product);
        gram.set(column, row, product);
      }
      // Most eigenvalues of a straight line are zero, and rounding can keep the iteration from
      // finding them; off zero, and not too small, it does.
      gram.add(row, row, SHIFT);
    }
    EigenDecomposition_F64<DMatrixRMaj> decomposition =
        DecompositionFactory_DDRM.eig(count, true, true);
    if (!decomposition.decompose(gram)) {
      throw new ArithmeticException("the principal components of a trajectory do not converge");
    }
    Integer[] order = new Integer[count];
    Arrays.setAll(order, i -> i);
    Arrays.sort(order, Comparator.comparingDouble(i -> -decomposition.getEigenvalue(i).getReal()));
    for (int component = 0; component < components; component++) {
      double found = decomposition.getEigenvalue(order[component]).getReal();
      double eigenvalue = Math.max(0, found - SHIFT) * squares;
      DMatrixRMaj vector = decomposition.getEigenVector(order[component]);
      variances[component] = eigenvalue / count;
      double sign = signOfGreatest(vector);
      for (int point = 0; point < count; point++) {
        coordinates[point][component] = sign * vector.get(point) * Math.sqrt(eigenvalue);
      }
    }
    return new PrincipalComponents(coordinates, variances);
  }

  /** An axis has no sense of its own: the point farthest out is made positive. */
  private static double signOfGreatest(DMatrixRMaj vector) {
    double greatest = 0;
    for (int i = 0; i < vector.getNumElements(); i++) {
      if (Math.abs(vector.get(i)) > Math.abs(greatest) * (1 + 1e-9)) {
        greatest = vector.get(i);
      }
    }
    return greatest < 0 ? -1 : 1;
  }

  private static double product(double[] x, double[] y) {
    double sum = 0;
    for (int i = 0; i < x.length; i++) {
      sum += x[i] * y[i];
    }
    return sum;
  }

  /** The share of the whole variance that a component has, from 0; 0 if there is no such one. */
  public double share(int component) {
    double sum = 0;
    for (double variance : variances) {
      sum += variance;
    }
    return component >= variances.length || sum == 0 ? 0 : variances[component] / sum;
  }

  /** A point's coordinate; 0 for a component that there is not. */
  public double coordinate(int point, int component) {
    return component < variances.length ? coordinates[point][component] : 0;
  }
}
