package dev.muninn.tornado.kernel;

import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.math.TornadoMath;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;
import uk.ac.manchester.tornado.api.types.arrays.ShortArray;

/** The gated MLP, and the projections back to the residual stream. */
public final class MlpKernels {
  private MlpKernels() {}

  /** {@code gate * sigmoid(gate) * up}. */
  public static float gate(float gate, float up) {
    return gate / (1 + TornadoMath.exp(-gate)) * up;
  }

  /**
   * {@code hidden = silu(gate) * up} of normed rows. An item is a hidden unit, of all rows.
   *
   * @param stream rows before their norm
   * @param factors the norm's factor of each row
   * @param vectors the block's; the norm's scale stands from {@code 2 * width} on
   * @param floats or {@code halves}: weights, gate over up, [2 * intermediate, width]
   */
  public static void gateUp(
      KernelContext context,
      IntArray rows,
      FloatArray stream,
      FloatArray factors,
      FloatArray vectors,
      FloatArray floats,
      ShortArray halves,
      FloatArray table,
      FloatArray hidden,
      int width,
      int intermediate,
      int format,
      int lanes) {
    int unit = context.globalIdx / lanes;
    int lane = context.globalIdx % lanes;
    int gateWeights = unit * width;
    int upWeights = (intermediate + unit) * width;
    int count = rows.get(RowTable.ROWS);
    for (int row = 0; row < count; row++) {
      float gate =
          Products.scaledDot(
              format,
              floats,
              halves,
              table,
              gateWeights,
              stream,
              row * width,
              vectors,
              2 * width,
              width,
              lane,
              lanes);
      float up =
          Products.scaledDot(
              format,
              floats,
              halves,
              table,
              upWeights,
              stream,
              row * width,
              vectors,
              2 * width,
              width,
              lane,
              lanes);
      if (lanes > 1) {
        float[] shared = context.allocateFloatLocalArray(lanes);
        gate = Lanes.sum(context, gate, shared, lane, lanes);
        up = Lanes.sum(context, up, shared, lane, lanes);
      }
      if (lane == 0) {
        float factor = factors.get(row);
        hidden.set(row * intermediate + unit, gate(gate * factor, up * factor));
      }
    }
  }

  /**
   * {@code sums = stream + W input}. An item is an output, of all rows.
   *
   * @param input [rows, inputs]
   * @param floats or {@code halves}: weights, [outputs, inputs]
   * @param stream what is added, [rows, outputs]
   * @param sums [rows, outputs]
   */
  public static void project(
      KernelContext context,
      IntArray rows,
      FloatArray input,
      FloatArray floats,
      ShortArray halves,
      FloatArray table,
      FloatArray stream,
      FloatArray sums,
      int inputs,
      int outputs,
      int format,
      int lanes) {
    int output = context.globalIdx / lanes;
    int lane = context.globalIdx % lanes;
    int count = rows.get(RowTable.ROWS);
    for (int row = 0; row < count; row++) {
      float sum =
          Products.dot(
              format,
              floats,
              halves,
              table,
              output * inputs,
              input,
              row * inputs,
              inputs,
              lane,
              lanes);
      if (lanes > 1) {
        float[] shared = context.allocateFloatLocalArray(lanes);
        sum = Lanes.sum(context, sum, shared, lane, lanes);
      }
      if (lane == 0) {
        sums.set(row * outputs + output, stream.get(row * outputs + output) + sum);
      }
    }
  }
}
