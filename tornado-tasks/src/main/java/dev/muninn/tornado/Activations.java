package dev.muninn.tornado;

import dev.muninn.family.huginn.HuginnConfig;
import java.util.function.IntFunction;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/**
 * What a graph works in, row by row; only on the device.
 *
 * @param stream the residual stream, [rows, width]
 * @param factors of the norm behind the stream, [rows]
 * @param queries [rows, width]
 * @param scores [rows * heads, context]
 * @param attended [rows, width]
 * @param sums a residual sum before its norm, [rows, width]
 * @param hidden [rows, intermediate]
 */
record Activations(
    FloatArray stream,
    FloatArray factors,
    FloatArray queries,
    FloatArray scores,
    FloatArray attended,
    FloatArray sums,
    FloatArray hidden) {

  /**
   * Arrays for so many rows.
   *
   * @param memory gives the twin on the host of so many floats
   */
  static Activations of(HuginnConfig config, int rows, IntFunction<FloatArray> memory) {
    int width = config.embeddingSize();
    return new Activations(
        memory.apply(rows * width),
        memory.apply(rows),
        memory.apply(rows * width),
        memory.apply(rows * config.heads() * config.contextLength()),
        memory.apply(rows * width),
        memory.apply(rows * width),
        memory.apply(rows * config.intermediateSize()));
  }

  /** Bytes on the device. */
  static long bytes(HuginnConfig config, int rows) {
    return 4L
        * rows
        * (4L * config.embeddingSize()
            + 1
            + (long) config.heads() * config.contextLength()
            + config.intermediateSize());
  }

  Object[] arrays() {
    return new Object[] {stream, factors, queries, scores, attended, sums, hidden};
  }
}
