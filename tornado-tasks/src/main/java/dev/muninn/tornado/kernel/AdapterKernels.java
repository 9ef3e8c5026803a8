package dev.muninn.tornado.kernel;

import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;
import uk.ac.manchester.tornado.api.types.arrays.ShortArray;

/** The adapter before the recurrent block, and what the host writes to row slots. */
public final class AdapterKernels {
  private AdapterKernels() {}

  /**
   * {@code sums = W [s ; e]}. An item is an output, of all rows.
   *
   * @param latents s of every row slot, [slots, width]
   * @param embeddings e of every row slot, [slots, width]
   * @param floats or {@code halves}: weights, [width, 2 * width]
   * @param sums [rows, width]
   */
  public static void adapt(
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
      if (lanes > 1) {
        float[] shared = context.allocateFloatLocalArray(lanes);
        sum = Lanes.sum(context, sum, shared, lane, lanes);
      }
      if (lane == 0) {
        sums.set(row * width + output, sum);
      }
    }
  }

  /**
   * Writes vectors of the host to row slots. An item is a column.
   *
   * @param staged the vectors, [vectors, width]
   * @param targets their number, then for each its row slot, and 0 for s or 1 for e
   */
  public static void write(
      KernelContext context,
      IntArray targets,
      FloatArray staged,
      FloatArray latents,
      FloatArray embeddings,
      int width) {
    writeColumn(context.globalIdx, targets, staged, latents, embeddings, width);
  }

  /** A column of {@link #write}. */
  public static void writeColumn(
      int column,
      IntArray targets,
      FloatArray staged,
      FloatArray latents,
      FloatArray embeddings,
      int width) {
    int count = targets.get(0);
    for (int vector = 0; vector < count; vector++) {
      int to = targets.get(1 + 2 * vector) * width + column;
      float value = staged.get(vector * width + column);
      if (targets.get(2 + 2 * vector) == 0) {
        latents.set(to, value);
      } else {
        embeddings.set(to, value);
      }
    }
  }
}
