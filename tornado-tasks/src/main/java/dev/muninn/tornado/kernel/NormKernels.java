package dev.muninn.tornado.kernel;

import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.math.TornadoMath;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * RMSNorm, one workgroup a row. The kernel that computes a row also leaves the factor of the norm
 * behind it, so that the product behind that norm applies it to its input on the way.
 */
public final class NormKernels {
  private NormKernels() {}

  /** The sum over a lane's columns of the squares of a row. */
  public static float squares(FloatArray source, int from, int width, int lane, int lanes) {
    float sum = 0;
    for (int i = lane; i < width; i += lanes) {
      float value = source.get(from + i);
      sum += value * value;
    }
    return sum;
  }

  /** {@code 1 / sqrt(mean of the squares + epsilon)}. */
  public static float factor(float squares, int width, float epsilon) {
    return 1 / TornadoMath.sqrt(squares / width + epsilon);
  }

  /** Writes a lane's columns of {@code source * factor * weight}; the sum of their squares. */
  public static float scale(
      FloatArray source,
      int from,
      float factor,
      FloatArray weights,
      int weightFrom,
      FloatArray target,
      int to,
      int width,
      int lane,
      int lanes) {
    float sum = 0;
    for (int i = lane; i < width; i += lanes) {
      float value = source.get(from + i) * factor * weights.get(weightFrom + i);
      target.set(to + i, value);
      sum += value * value;
    }
    return sum;
  }

  /** Copies a lane's columns of a row; the sum of their squares. */
  public static float copy(
      FloatArray source, int from, FloatArray target, int to, int width, int lane, int lanes) {
    float sum = 0;
    for (int i = lane; i < width; i += lanes) {
      float value = source.get(from + i);
      target.set(to + i, value);
      sum += value * value;
    }
    return sum;
  }

  /**
   * {@code target = norm(source) * weight}, and the factor of the norm of what was written.
   *
   * @param source rows of {@code width}, found by the section {@code sourceRows} of the row table
   * @param weights holds the norm's scale from {@code weightFrom} on
   * @param target rows of {@code width}, found by the section {@code targetRows}
   * @param factors gets the factor of the norm of each row of the call
   */
  public static void norm(
      KernelContext context,
      IntArray rows,
      FloatArray source,
      int sourceRows,
      FloatArray weights,
      int weightFrom,
      FloatArray target,
      int targetRows,
      FloatArray factors,
      int width,
      float epsilon,
      int lanes) {
    int row = context.globalIdx / lanes;
    int lane = context.globalIdx % lanes;
    if (row < rows.get(RowTable.ROWS)) {
      int from = rows.get(sourceRows + row) * width;
      int to = rows.get(targetRows + row) * width;
      float squares = squares(source, from, width, lane, lanes);
      if (lanes > 1) {
        float[] shared = context.allocateFloatLocalArray(lanes);
        squares = Lanes.sum(context, squares, shared, lane, lanes);
        float factor = factor(squares, width, epsilon);
        float after =
            scale(source, from, factor, weights, weightFrom, target, to, width, lane, lanes);
        after = Lanes.sum(context, after, shared, lane, lanes);
        if (lane == 0) {
          factors.set(row, factor(after, width, epsilon));
        }
      } else {
        float factor = factor(squares, width, epsilon);
        float after =
            scale(source, from, factor, weights, weightFrom, target, to, width, lane, lanes);
        factors.set(row, factor(after, width, epsilon));
      }
    }
  }

  /** {@code target = source}, row by row, and the factor of the norm of each. */
  public static void measure(
      KernelContext context,
      IntArray rows,
      FloatArray source,
      FloatArray target,
      FloatArray factors,
      int width,
      float epsilon,
      int lanes) {
    int row = context.globalIdx / lanes;
    int lane = context.globalIdx % lanes;
    if (row < rows.get(RowTable.ROWS)) {
      float squares = copy(source, row * width, target, row * width, width, lane, lanes);
      if (lanes > 1) {
        float[] shared = context.allocateFloatLocalArray(lanes);
        squares = Lanes.sum(context, squares, shared, lane, lanes);
      }
      if (lane == 0) {
        factors.set(row, factor(squares, width, epsilon));
      }
    }
  }
}
