package dev.muninn.tornado.kernel;

import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.math.TornadoMath;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;
import uk.ac.manchester.tornado.api.types.arrays.ShortArray;

/**
 * Products with weights. An item is an output, of all rows. Each matrix comes as two arrays, floats
 * and halves, of which its {@link WeightFormat} reads one.
 */
public final class ProductKernels {
  private ProductKernels() {}

  /** {@code gate * sigmoid(gate) * up}. */
  public static float gate(float gate, float up) {
    return gate / (1 + TornadoMath.exp(-gate)) * up;
  }

  /**
   * {@code target = W input}.
   *
   * @param input [rows, inputs]
   * @param floats or {@code halves}: weights, [outputs, inputs]
   * @param target [rows, outputs]
   */
  public static void product(
      KernelContext context,
      IntArray rows,
      FloatArray input,
      FloatArray floats,
      ShortArray halves,
      FloatArray table,
      FloatArray target,
      int inputs,
      int outputs,
      int format,
      int lanes) {
    int output = context.globalIdx / lanes;
    int lane = context.globalIdx % lanes;
    int weights = output * inputs;
    int count = rows.get(RowTable.ROWS);
    for (int row = 0; row < count; row++) {
      float sum =
          Products.dot(
              format, floats, halves, table, weights, input, row * inputs, inputs, lane, lanes);
      sum = Lanes.sum(context, sum, lane, lanes);
      if (lane == 0) {
        target.set(row * outputs + output, sum);
      }
    }
  }

  /**
   * Queries, keys and values side by side.
   *
   * @param input [rows, inputs]
   * @param queryFloats or {@code queryHalves}: weights, [queryWidth, inputs]
   * @param keyFloats or {@code keyHalves}: weights, [keyValueWidth, inputs]
   * @param valueFloats or {@code valueHalves}: weights, [keyValueWidth, inputs]
   * @param target [rows, queryWidth + 2 * keyValueWidth]
   */
  public static void queriesKeysValues(
      KernelContext context,
      IntArray rows,
      FloatArray input,
      FloatArray queryFloats,
      ShortArray queryHalves,
      FloatArray keyFloats,
      ShortArray keyHalves,
      FloatArray valueFloats,
      ShortArray valueHalves,
      FloatArray table,
      FloatArray target,
      int inputs,
      int queryWidth,
      int keyValueWidth,
      int queryFormat,
      int keyFormat,
      int valueFormat,
      int lanes) {
    int output = context.globalIdx / lanes;
    int lane = context.globalIdx % lanes;
    int values = queryWidth + keyValueWidth;
    int outputs = values + keyValueWidth;
    // Of three loops two have nothing to do. No range is tested from both ends: the runtime makes
    // one comparison of unsigned numbers of it, and compiles that as signed.
    int queryColumns = output < queryWidth ? inputs : 0;
    int valueColumns = output < values ? 0 : inputs;
    int keyColumns = inputs - queryColumns - valueColumns;
    int queryRow = output * inputs;
    int keyRow = (output - queryWidth) * inputs;
    int valueRow = (output - values) * inputs;
    int count = rows.get(RowTable.ROWS);
    for (int row = 0; row < count; row++) {
      int from = row * inputs;
      float sum =
          Products.dot(
              queryFormat,
              queryFloats,
              queryHalves,
              table,
              queryRow,
              input,
              from,
              queryColumns,
              lane,
              lanes);
      sum +=
          Products.dot(
              keyFormat, keyFloats, keyHalves, table, keyRow, input, from, keyColumns, lane, lanes);
      sum +=
          Products.dot(
              valueFormat,
              valueFloats,
              valueHalves,
              table,
              valueRow,
              input,
              from,
              valueColumns,
              lane,
              lanes);
      sum = Lanes.sum(context, sum, lane, lanes);
      if (lane == 0) {
        target.set(row * outputs + output, sum);
      }
    }
  }

  /**
   * {@code hidden = silu(G input) * U input}.
   *
   * @param input [rows, inputs]
   * @param gateFloats or {@code gateHalves}: G, [intermediate, inputs]
   * @param upFloats or {@code upHalves}: U, [intermediate, inputs]
   * @param hidden [rows, intermediate]
   */
  public static void gateUp(
      KernelContext context,
      IntArray rows,
      FloatArray input,
      FloatArray gateFloats,
      ShortArray gateHalves,
      FloatArray upFloats,
      ShortArray upHalves,
      FloatArray table,
      FloatArray hidden,
      int inputs,
      int intermediate,
      int gateFormat,
      int upFormat,
      int lanes) {
    int unit = context.globalIdx / lanes;
    int lane = context.globalIdx % lanes;
    int weights = unit * inputs;
    int count = rows.get(RowTable.ROWS);
    for (int row = 0; row < count; row++) {
      int from = row * inputs;
      float gate =
          Products.dot(
              gateFormat, gateFloats, gateHalves, table, weights, input, from, inputs, lane, lanes);
      float up =
          Products.dot(
              upFormat, upFloats, upHalves, table, weights, input, from, inputs, lane, lanes);
      gate = Lanes.sum(context, gate, lane, lanes);
      up = Lanes.sum(context, up, lane, lanes);
      if (lane == 0) {
        hidden.set(row * intermediate + unit, gate(gate, up));
      }
    }
  }

  /**
   * {@code sums = W [s ; e]}, the injection.
   *
   * @param latents s of every row slot, [slots, width]
   * @param embeddings e of every row slot, [slots, width]
   * @param floats or {@code halves}: weights, [width, 2 * width]
   * @param sums [rows, width]
   */
  public static void inject(
      KernelContext context,
      IntArray rows,
      FloatArray latents,
      FloatArray embeddings,
      FloatArray floats,
      ShortArray halves,
      FloatArray table,
      FloatArray sums,
      int mostRows,
      int width,
      int format,
      int lanes) {
    int output = context.globalIdx / lanes;
    int lane = context.globalIdx % lanes;
    int weights = output * 2 * width;
    int count = rows.get(RowTable.ROWS);
    for (int row = 0; row < count; row++) {
      int from = rows.get(RowTable.slots(mostRows) + row) * width;
      float sum =
          Products.dot(format, floats, halves, table, weights, latents, from, width, lane, lanes);
      sum +=
          Products.dot(
              format, floats, halves, table, weights + width, embeddings, from, width, lane, lanes);
      sum = Lanes.sum(context, sum, lane, lanes);
      if (lane == 0) {
        sums.set(row * width + output, sum);
      }
    }
  }

  /**
   * {@code logits = W input} of the rows that are read out.
   *
   * @param input of all rows, [rows, width]
   * @param floats or {@code halves}: weights, [vocabulary, width]
   * @param logits [rows read out, vocabulary]
   */
  public static void logits(
      KernelContext context,
      IntArray rows,
      FloatArray input,
      FloatArray floats,
      ShortArray halves,
      FloatArray table,
      FloatArray logits,
      int mostRows,
      int width,
      int vocabulary,
      int format,
      int lanes) {
    int token = context.globalIdx / lanes;
    int lane = context.globalIdx % lanes;
    int weights = token * width;
    int wanted = rows.get(RowTable.WANTED);
    for (int index = 0; index < wanted; index++) {
      int from = rows.get(RowTable.wantedRows(mostRows) + index) * width;
      float sum =
          Products.dot(format, floats, halves, table, weights, input, from, width, lane, lanes);
      sum = Lanes.sum(context, sum, lane, lanes);
      if (lane == 0) {
        logits.set(index * vocabulary + token, sum);
      }
    }
  }
}
