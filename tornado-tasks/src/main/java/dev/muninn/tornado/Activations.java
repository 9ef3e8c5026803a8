package dev.muninn.tornado;

import dev.muninn.model.RavenConfig;
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

  static Activations of(RavenConfig config, int rows) {
    int width = config.embeddingSize();
    return new Activations(
        new FloatArray(rows * width),
        new FloatArray(rows),
        new FloatArray(rows * width),
        new FloatArray(rows * config.heads() * config.contextLength()),
        new FloatArray(rows * width),
        new FloatArray(rows * width),
        new FloatArray(rows * config.intermediateSize()));
  }

  /** Bytes on the device. */
  static long bytes(RavenConfig config, int rows) {
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
