package dev.muninn.tornado.kernel;

import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.math.TornadoMath;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * All that stands between two products on the residual stream: the sum with a branch, and the norms
 * around it. A workgroup computes a row, each lane its own columns, so lanes meet only to add up
 * squares. A norm's array holds its scale, and behind it its epsilon.
 */
public final class JoinKernels {
  /** The source is added to the stream; without it the source becomes the stream. */
  public static final int RESIDUAL = 1;

  /** A norm on what the branch adds. */
  public static final int OUTPUT_NORM = 2;

  /** A norm on the stream. */
  public static final int STREAM_NORM = 4;

  /** The stream is written to the target too. */
  public static final int TARGET = 8;

  /** A norm on what is written to the target. */
  public static final int TARGET_NORM = 16;

  private JoinKernels() {}

  /** The sum over a lane's columns of the squares of a row. */
  static float squares(FloatArray source, int from, int width, int lane, int lanes) {
    float sum = 0;
    for (int i = lane; i < width; i += lanes) {
      float value = source.get(from + i);
      sum += value * value;
    }
    return sum;
  }

  /** {@code 1 / sqrt(mean of the squares + epsilon)}. */
  static float factor(float squares, int width, float epsilon) {
    return 1 / TornadoMath.sqrt(squares / width + epsilon);
  }

  /** Writes a lane's columns of the stream; the sum of their squares. */
  private static float add(
      FloatArray source,
      int from,
      float factor,
      FloatArray norm,
      FloatArray stream,
      int at,
      int width,
      int flags,
      int lane,
      int lanes) {
    float sum = 0;
    for (int i = lane; i < width; i += lanes) {
      float value = source.get(from + i);
      if ((flags & OUTPUT_NORM) != 0) {
        value = value * factor * norm.get(i);
      }
      if ((flags & RESIDUAL) != 0) {
        value = value + stream.get(at + i);
      }
      stream.set(at + i, value);
      sum += value * value;
    }
    return sum;
  }

  /** Writes a lane's columns of {@code source * factor * norm}; the sum of their squares. */
  private static float scale(
      FloatArray source,
      int from,
      float factor,
      FloatArray norm,
      FloatArray target,
      int to,
      int width,
      int lane,
      int lanes) {
    float sum = 0;
    for (int i = lane; i < width; i += lanes) {
      float value = source.get(from + i) * factor * norm.get(i);
      target.set(to + i, value);
      sum += value * value;
    }
    return sum;
  }

  private static void copy(
      FloatArray source, int from, FloatArray target, int to, int width, int lane, int lanes) {
    for (int i = lane; i < width; i += lanes) {
      target.set(to + i, source.get(from + i));
    }
  }

  /**
   * {@code stream = streamNorm(stream + outputNorm(source)); target = targetNorm(stream)}, each
   * part if its flag is set.
   *
   * @param source rows of {@code width}, found by the section {@code sourceRows} of the row table
   * @param outputNorm [width + 1]
   * @param streamNorm [width + 1]
   * @param targetNorm [width + 1]
   * @param stream [rows, width]
   * @param target rows of {@code width}, found by the section {@code targetRows}
   * @param flags which parts there are
   */
  public static void join(
      KernelContext context,
      IntArray rows,
      FloatArray source,
      int sourceRows,
      FloatArray outputNorm,
      FloatArray streamNorm,
      FloatArray targetNorm,
      FloatArray stream,
      FloatArray target,
      int targetRows,
      int width,
      int flags,
      int lanes) {
    int row = context.globalIdx / lanes;
    int lane = context.globalIdx % lanes;
    if (row < rows.get(RowTable.ROWS)) {
      int from = rows.get(sourceRows + row) * width;
      int to = rows.get(targetRows + row) * width;
      int at = row * width;
      float outputFactor = 1;
      if ((flags & OUTPUT_NORM) != 0) {
        float sum = squares(source, from, width, lane, lanes);
        sum = Lanes.sum(context, sum, lane, lanes);
        outputFactor = factor(sum, width, outputNorm.get(width));
      }
      float squares =
          add(source, from, outputFactor, outputNorm, stream, at, width, flags, lane, lanes);
      if ((flags & STREAM_NORM) != 0) {
        squares = Lanes.sum(context, squares, lane, lanes);
        float streamFactor = factor(squares, width, streamNorm.get(width));
        squares = scale(stream, at, streamFactor, streamNorm, stream, at, width, lane, lanes);
      }
      if ((flags & TARGET_NORM) != 0) {
        squares = Lanes.sum(context, squares, lane, lanes);
        float targetFactor = factor(squares, width, targetNorm.get(width));
        scale(stream, at, targetFactor, targetNorm, target, to, width, lane, lanes);
      } else if ((flags & TARGET) != 0) {
        copy(stream, at, target, to, width, lane, lanes);
      }
    }
  }

  /** {@code gate * sigmoid(gate) * up}. */
  static float gated(float gate, float up) {
    return gate / (1 + TornadoMath.exp(-gate)) * up;
  }

  /**
   * {@code hidden = silu(gate) * up}. An item is a column, of all rows.
   *
   * @param both gates and, behind them, what they gate, [rows, 2 * width]
   * @param hidden [rows, width]
   */
  public static void gateRows(
      KernelContext context, IntArray rows, FloatArray both, FloatArray hidden, int width) {
    int column = context.globalIdx;
    int count = rows.get(RowTable.ROWS);
    if (column < width) {
      for (int row = 0; row < count; row++) {
        int from = row * 2 * width + column;
        hidden.set(row * width + column, gated(both.get(from), both.get(from + width)));
      }
    }
  }
}
