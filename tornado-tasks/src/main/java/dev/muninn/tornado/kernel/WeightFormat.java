package dev.muninn.tornado.kernel;

import dev.muninn.backend.BackendException;
import dev.muninn.weights.DType;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.ShortArray;

/**
 * How weights of 16 bits are read on a device that can neither reinterpret bits nor convert halves:
 * the sign and the exponent choose a power of two in a table, and the significand multiplies it.
 * That is exact for every finite weight.
 */
public final class WeightFormat {
  /** Weights of 32 bits. */
  public static final int F32 = 0;

  /** The upper halves of floats: 8 bits of exponent, 7 of significand. */
  public static final int BF16 = 1;

  /** IEEE halves: 5 bits of exponent, 10 of significand. */
  public static final int F16 = 2;

  /** Where the powers of two for BF16 stand in a {@link #table}. */
  private static final int BF16_TABLE = 0;

  /** Where the powers of two for F16 stand in a {@link #table}. */
  private static final int F16_TABLE = 512;

  private static final int TABLE_SIZE = 576;

  private WeightFormat() {}

  /**
   * The format of a matrix's elements.
   *
   * @throws BackendException if no kernel reads it
   */
  public static int of(DType type) {
    return switch (type) {
      case F32 -> F32;
      case BF16 -> BF16;
      case F16 -> F16;
      default ->
          throw new BackendException(
              "the backend tornado has no kernel for weights in "
                  + type
                  + "; --backend vector computes on the CPU");
    };
  }

  /** The powers of two that {@link #weight} reads, [576]. */
  public static FloatArray table() {
    FloatArray table = new FloatArray(TABLE_SIZE);
    for (int sign = 0; sign < 2; sign++) {
      float factor = sign == 0 ? 1 : -1;
      for (int exponent = 0; exponent < 256; exponent++) {
        float power =
            exponent == 255
                ? Float.POSITIVE_INFINITY
                : (float) Math.pow(2, Math.max(1, exponent) - 134);
        table.set(BF16_TABLE + sign * 256 + exponent, factor * power);
      }
      for (int exponent = 0; exponent < 32; exponent++) {
        float power =
            exponent == 31
                ? Float.POSITIVE_INFINITY
                : (float) Math.pow(2, Math.max(1, exponent) - 25);
        table.set(F16_TABLE + sign * 32 + exponent, factor * power);
      }
    }
    return table;
  }

  /**
   * A weight.
   *
   * @param format {@link #F32}, {@link #BF16} or {@link #F16}
   * @param floats the weights in F32, else anything
   * @param halves the bits of the weights in 16 bits, else anything
   * @param table {@link #table}
   */
  public static float weight(
      int format, FloatArray floats, ShortArray halves, FloatArray table, int index) {
    if (format == F32) {
      return floats.get(index);
    }
    int bits = halves.get(index) & 0xFFFF;
    if (format == BF16) {
      // Zero and subnormals lack the leading one.
      int leading = (bits & 0x7F80) == 0 ? 0 : 128;
      return table.get(BF16_TABLE + (bits >> 7)) * (leading + (bits & 127));
    }
    int leading = (bits & 0x7C00) == 0 ? 0 : 1024;
    return table.get(F16_TABLE + (bits >> 10)) * (leading + (bits & 1023));
  }
}
