package dev.muninn.tornado.kernel;

import uk.ac.manchester.tornado.api.types.BFloat16;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * How weights lie on a device, row after row. Those of 32 bits are floats; all others are packed
 * into ints, two by two, four by four or eight by eight, the first in the lowest bits. A kernel
 * takes them in pairs of neighbouring columns.
 *
 * <p>A device that can neither reinterpret bits nor convert halves reads 16 bits by a table: the
 * sign and the exponent choose a power of two in it, and the significand multiplies that. This is
 * exact for every finite weight.
 */
public final class WeightFormat {
  /** Weights of 32 bits. */
  public static final int F32 = 0;

  /** The upper halves of floats: 8 bits of exponent, 7 of significand. */
  public static final int BF16 = 1;

  /** IEEE halves: 5 bits of exponent, 10 of significand. */
  public static final int F16 = 2;

  /** Bytes minus 128, times a scale for each {@link #BLOCK} columns of a row. */
  public static final int Q8 = 3;

  /** Four bits minus 8, times a scale for each {@link #BLOCK} columns of a row. */
  public static final int Q4 = 4;

  /** Columns that share a scale. */
  public static final int BLOCK = 32;

  /** Where the powers of two for BF16 stand in a {@link #table}. */
  private static final int BF16_TABLE = 0;

  /** Where the powers of two for F16 stand in a {@link #table}. */
  private static final int F16_TABLE = 512;

  private static final int TABLE_SIZE = 576;

  private WeightFormat() {}

  /** The powers of two that {@link #even} and {@link #odd} read, [576]. */
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

  /** Weights in an int: 1 stands for none, where they are floats. */
  public static int perInt(int format) {
    return switch (format) {
      case F32 -> 1;
      case Q8 -> 4;
      case Q4 -> 8;
      default -> 2;
    };
  }

  /**
   * The int that has a pair of weights.
   *
   * @param packed the weights, unless they are floats
   * @param at index of the first of the two among all weights; even, unless they are floats
   */
  static int bits(int format, IntArray packed, int at) {
    int bits = 0;
    if (format == Q8) {
      bits = packed.get(at >> 2);
    } else if (format == Q4) {
      bits = packed.get(at >> 3);
    } else if (format != F32) {
      bits = packed.get(at >> 1);
    }
    return bits;
  }

  /**
   * The first weight of a pair.
   *
   * @param cuda 1 in a kernel for CUDA, which converts BF16, else 0; a constant in the kernel's
   *     code, since other compilers do not know the conversion
   * @param floats the weights if they are floats, the scales if they have some
   * @param table {@link #table}
   * @param bits {@link #bits} of the pair
   * @param at index of the first of the two among all weights
   */
  static float even(int format, int cuda, FloatArray floats, FloatArray table, int bits, int at) {
    float weight;
    if (format == F32) {
      weight = floats.get(at);
    } else if (cuda != 0 && format == BF16) {
      weight = BFloat16.bf16ToFloat((short) bits);
    } else if (format == BF16) {
      // Zero and subnormals lack the leading one.
      int leading = (bits & 0x7F80) == 0 ? 0 : 128;
      weight = table.get(BF16_TABLE + ((bits >> 7) & 511)) * (leading + (bits & 127));
    } else if (format == F16) {
      int leading = (bits & 0x7C00) == 0 ? 0 : 1024;
      weight = table.get(F16_TABLE + ((bits >> 10) & 63)) * (leading + (bits & 1023));
    } else if (format == Q8) {
      weight = (((bits >> 8 * (at & 2)) & 255) - 128) * floats.get(at >> 5);
    } else {
      weight = (((bits >> 4 * (at & 6)) & 15) - 8) * floats.get(at >> 5);
    }
    return weight;
  }

  /** The second weight of a pair; the parameters are those of {@link #even}. */
  static float odd(int format, int cuda, FloatArray floats, FloatArray table, int bits, int at) {
    float weight;
    if (format == F32) {
      weight = floats.get(at + 1);
    } else if (cuda != 0 && format == BF16) {
      weight = BFloat16.bf16ToFloat((short) (bits >> 16));
    } else if (format == BF16) {
      int leading = (bits & 0x7F800000) == 0 ? 0 : 128;
      weight = table.get(BF16_TABLE + ((bits >> 23) & 511)) * (leading + ((bits >> 16) & 127));
    } else if (format == F16) {
      int leading = (bits & 0x7C000000) == 0 ? 0 : 1024;
      weight = table.get(F16_TABLE + ((bits >> 26) & 63)) * (leading + ((bits >> 16) & 1023));
    } else if (format == Q8) {
      weight = (((bits >> 8 * (at & 2) + 8) & 255) - 128) * floats.get(at >> 5);
    } else {
      weight = (((bits >> 4 * (at & 6) + 4) & 15) - 8) * floats.get(at >> 5);
    }
    return weight;
  }

  /**
   * A weight, for what is no hot loop.
   *
   * @param floats the weights if they are floats, the scales if they have some
   * @param packed the weights, unless they are floats
   */
  public static float weight(
      int format, FloatArray floats, IntArray packed, FloatArray table, int index) {
    if (format == F32) {
      return floats.get(index);
    }
    int first = index & ~1;
    int bits = bits(format, packed, first);
    return index == first
        ? even(format, 0, floats, table, bits, first)
        : odd(format, 0, floats, table, bits, first);
  }
}
