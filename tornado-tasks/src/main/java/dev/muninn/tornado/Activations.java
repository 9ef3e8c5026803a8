package dev.muninn.tornado;

import dev.muninn.model.Attention;
import dev.muninn.model.Block;
import dev.muninn.model.RecurrentModel;
import dev.muninn.model.WeightMatrix;
import dev.muninn.tornado.kernel.AttentionKernels;
import java.util.function.LongFunction;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/**
 * What a graph works in, row by row; only on the device.
 *
 * @param stream the residual stream, [rows, h]
 * @param normed the stream behind a norm, [rows, h]
 * @param projected queries, keys and values before they are turned, [rows, queries + keys + values]
 * @param queries [rows, heads * head size]
 * @param work of attention, [rows * heads, {@link AttentionKernels#workSize}]
 * @param attended [rows, heads * head size]
 * @param sums what a branch adds, [rows, h]
 * @param both gates and what they gate, [rows, 2 * i], or s and e, [rows, 2 * h]
 * @param hidden between the products of the MLP, [rows, i]
 */
record Activations(
    FloatArray stream,
    FloatArray normed,
    FloatArray projected,
    FloatArray queries,
    FloatArray work,
    FloatArray attended,
    FloatArray sums,
    FloatArray both,
    FloatArray hidden) {

  /**
   * Numbers of a row.
   *
   * @param width h
   * @param projected of the widest block
   * @param queries of the widest block
   * @param work of all heads of the block with most
   * @param hidden of the widest MLP
   * @param injected inputs of the injection
   */
  private record Sizes(
      long width, long projected, long queries, long work, long hidden, long injected) {
    static Sizes of(RecurrentModel model) {
      int injected = model.core().injection().map(WeightMatrix::columns).orElse(0);
      Sizes sizes = new Sizes(model.width(), 1, 1, 1, 1, injected);
      for (Block block : model.blocks()) {
        Attention attention = block.attention();
        sizes =
            new Sizes(
                sizes.width,
                Math.max(sizes.projected, attention.width() + 2L * attention.keyValueWidth()),
                Math.max(sizes.queries, attention.width()),
                Math.max(sizes.work, workSize(attention)),
                Math.max(sizes.hidden, block.mlp().width()),
                injected);
      }
      return sizes;
    }

    private static long workSize(Attention attention) {
      return (long) attention.heads() * AttentionKernels.workSize(attention.headSize());
    }

    long both() {
      return Math.max(2 * hidden, injected);
    }
  }

  /**
   * Arrays for so many rows.
   *
   * @param memory gives the twin on the host of so many floats
   */
  static Activations of(RecurrentModel model, int rows, LongFunction<FloatArray> memory) {
    Sizes sizes = Sizes.of(model);
    return new Activations(
        memory.apply(rows * sizes.width),
        memory.apply(rows * sizes.width),
        memory.apply(rows * sizes.projected),
        memory.apply(rows * sizes.queries),
        memory.apply(rows * sizes.work),
        memory.apply(rows * sizes.queries),
        memory.apply(rows * sizes.width),
        memory.apply(rows * sizes.both()),
        memory.apply(rows * sizes.hidden));
  }

  /** Bytes on the device. */
  static long bytes(RecurrentModel model, int rows) {
    Sizes sizes = Sizes.of(model);
    return 4L
        * rows
        * (3 * sizes.width
            + sizes.projected
            + 2 * sizes.queries
            + sizes.work
            + sizes.both()
            + sizes.hidden);
  }

  Object[] arrays() {
    return new Object[] {stream, normed, projected, queries, work, attended, sums, both, hidden};
  }
}
