package dev.muninn.tornado.kernel;

import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.ShortArray;

/** A lane's part of the product of a row of weights and a row of activations. */
final class Products {
  private Products() {}

  /** The sum over a lane's columns of weight * input. */
  static float dot(
      int format,
      FloatArray floats,
      ShortArray halves,
      FloatArray table,
      int weights,
      FloatArray input,
      int from,
      int columns,
      int lane,
      int lanes) {
    float sum = 0;
    for (int i = lane; i < columns; i += lanes) {
      sum += WeightFormat.weight(format, floats, halves, table, weights + i) * input.get(from + i);
    }
    return sum;
  }
}
