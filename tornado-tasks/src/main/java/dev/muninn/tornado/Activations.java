package dev.muninn.tornado;

import dev.muninn.model.Attention;
import dev.muninn.model.Block;
import dev.muninn.model.RecurrentModel;
import java.util.function.LongFunction;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/**
 * What a graph works in, row by row; only on the device.
 *
 * @param stream the residual stream, [rows, h]
 * @param normed the stream behind a norm, [rows, h]
 * @param projected queries, keys and values before they are turned, [rows, queries + keys + values]
 * @param queries [rows, heads * head size]
 * @param scores [rows * heads, context]
 * @param attended [rows, heads * head size]
 * @param sums what a branch adds, [rows, h]
 * @param hidden between the products of the MLP, [rows, i]
 */
record Activations(
    FloatArray stream,
    FloatArray normed,
    FloatArray projected,
    FloatArray queries,
    FloatArray scores,
    FloatArray attended,
    FloatArray sums,
    FloatArray hidden) {

  /**
   * Numbers of a row.
   *
   * @param width h
   * @param projected of the widest block
   * @param queries of the widest block
   * @param heads of the block with most
   * @param hidden of the widest MLP
   */
  private record Sizes(long width, long projected, long queries, long heads, long hidden) {
    static Sizes of(RecurrentModel model) {
      Sizes sizes = new Sizes(model.width(), 1, 1, 1, 1);
      for (Block block : model.blocks()) {
        Attention attention = block.attention();
        sizes =
            new Sizes(
                sizes.width,
                Math.max(sizes.projected, attention.width() + 2L * attention.keyValueWidth()),
                Math.max(sizes.queries, attention.width()),
                Math.max(sizes.heads, attention.heads()),
                Math.max(sizes.hidden, block.mlp().width()));
      }
      return sizes;
    }
  }

  /**
   * Arrays for so many rows.
   *
   * @param context most positions of a sequence
   * @param memory gives the twin on the host of so many floats
   */
  static Activations of(
      RecurrentModel model, int rows, int context, LongFunction<FloatArray> memory) {
    Sizes sizes = Sizes.of(model);
    return new Activations(
        memory.apply(rows * sizes.width),
        memory.apply(rows * sizes.width),
        memory.apply(rows * sizes.projected),
        memory.apply(rows * sizes.queries),
        memory.apply(rows * sizes.heads * context),
        memory.apply(rows * sizes.queries),
        memory.apply(rows * sizes.width),
        memory.apply(rows * sizes.hidden));
  }

  /** Bytes on the device, but for the scores. */
  static long bytes(RecurrentModel model, int rows) {
    Sizes sizes = Sizes.of(model);
    return 4L * rows * (3 * sizes.width + sizes.projected + 2 * sizes.queries + sizes.hidden);
  }

  /** Bytes of the scores on the device. */
  static long scoreBytes(RecurrentModel model, int rows, int context) {
    return 4 * rows * Sizes.of(model).heads * context;
  }

  Object[] arrays() {
    return new Object[] {stream, normed, projected, queries, scores, attended, sums, hidden};
  }
}
