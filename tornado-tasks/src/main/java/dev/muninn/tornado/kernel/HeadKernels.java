package dev.muninn.tornado.kernel;

import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;
import uk.ac.manchester.tornado.api.types.arrays.ShortArray;

/** The head. */
public final class HeadKernels {
  private HeadKernels() {}

  /**
   * {@code logits = W norm(stream)} of the rows that are read out. An item is a token, of all those
   * rows.
   *
   * @param stream rows before their norm
   * @param factors the norm's factor of each row
   * @param scale of the norm, [width]
   * @param floats or {@code halves}: weights, [vocabulary, width]
   * @param logits [rows read out, vocabulary]
   */
  public static void logits(
      KernelContext context,
      IntArray rows,
      FloatArray stream,
      FloatArray factors,
      FloatArray scale,
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
    int wanted = rows.get(RowTable.WANTED);
    for (int index = 0; index < wanted; index++) {
      int row = rows.get(RowTable.wantedRows(mostRows) + index);
      float sum =
          Products.scaledDot(
              format,
              floats,
              halves,
              table,
              token * width,
              stream,
              row * width,
              scale,
              0,
              width,
              lane,
              lanes);
      if (lanes > 1) {
        float[] shared = context.allocateFloatLocalArray(lanes);
        sum = Lanes.sum(context, sum, shared, lane, lanes);
      }
      if (lane == 0) {
        logits.set(index * vocabulary + token, sum * factors.get(row));
      }
    }
  }
}
