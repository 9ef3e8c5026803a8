package dev.muninn.tornado.kernel;

import uk.ac.manchester.tornado.api.types.BFloat16;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.HalfFloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;
import uk.ac.manchester.tornado.api.types.arrays.TornadoNativeArray;
import uk.ac.manchester.tornado.api.types.vectors.Half2;

/**
 * How weights lie on a device, row after row. Those of 32 bits are floats; all others are packed
 * into ints, two by two, four by four or eight by eight, the first in the lowest bits. A kernel
 * takes them in pairs of neighbouring columns.
 *
 * <p>On CUDA the runtime reinterprets BF16, and converts F16 where weights are an array of halves,
 * not ints. Elsewhere it does neither, and 16 bits are read by a table: the sign and the exponent
 * choose a power of two in it, and the significand multiplies that. This is exact for every weight,
 * except that in BF16 what is not a number becomes infinite.
 */
public final class WeightFormat {
  /** Weights of 32 bits. */
  public static final int F32 = 0;

  /** The upper halves of floats: 8 bits of exponent, 7 of significand. */
  public static final int BF16 = 1;

  /** IEEE halves: 5 bits of exponent, 10 of significand. */
  public static final int F16 = 2;

  /** Bytes with a sign, times a scale for each {@link #BLOCK} columns of a row. */
  public static final int Q8 = 3;

  /** Four bits with a sign, times a scale for each {@link #BLOCK} columns of a row. */
  public static final int Q4 = 4;

  /** In a kernel's kind: it is compiled for CUDA, which converts BF16. */
  static final int CUDA = 1;

  /** In a kernel's kind: weights are whole numbers with scales, else numbers without. */
  static final int SCALED = 2;

  /** In a kernel's kind, beside {@link #CUDA}: weights are in F16, in an array of halves. */
  static final int HALVES = 4;

  /** Columns that share a scale. */
  public static final int BLOCK = 32;

  /** Where the powers of two for BF16 stand in a {@link #table}. */
  private static final int BF16_TABLE = 0;

  /** Where the powers of two for F16 stand in a {@link #table}. */
  private static final int F16_TABLE = 512;

  /** Where that has what is not a number. */
  private static final int F16_NOT_A_NUMBER = 640;

  private static final int TABLE_SIZE = 642;

  private WeightFormat() {}

  /** Whether weights are whole numbers with scales. */
  public static boolean isScaled(int format) {
    return format == Q8 || format == Q4;
  }

  /** The powers of two that {@link #even} and {@link #odd} read, [642]. */
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
        float power = (float) Math.pow(2, Math.max(1, exponent) - 25);
        int at = F16_TABLE + 2 * (sign * 32 + exponent);
        table.set(at, factor * power);
        // Zero and subnormals lack the leading one.
        float leading =
            switch (exponent) {
              case 0 -> 0;
              case 31 -> Float.POSITIVE_INFINITY;
              default -> power * 1024;
            };
        table.set(at + 1, factor * leading);
      }
    }
    table.set(F16_NOT_A_NUMBER, Float.NaN);
    table.set(F16_NOT_A_NUMBER + 1, Float.NaN);
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
   * The int that has the pair some weights ahead of another.
   *
   * @param packed the weights, unless they are floats
   * @param at index of the other's first among all weights; even, unless weights are floats
   * @param ahead a constant in the kernel's code, so that what depends on {@code at} is computed
   *     once for several pairs; in its lowest five bits none is set that is set in {@code at}
   */
  static int bits(int format, int kind, IntArray packed, int at, int ahead) {
    int bits = 0;
    if ((kind & SCALED) != 0) {
      int columns = format == Q8 ? 2 : 3;
      bits = packed.get((at >> columns) + (ahead >> columns));
    } else if ((kind & HALVES) == 0 && format != F32) {
      bits = packed.get((at >> 1) + (ahead >> 1));
    }
    return bits;
  }

  /**
   * The first weight of a pair, without its scale.
   *
   * @param kind {@link #CUDA}, {@link #SCALED}, both, 0, or {@link #CUDA} and {@link #HALVES}: a
   *     constant in Java's code already, so that the runtime does not meet what other kinds do
   * @param floats the weights if they are floats or an array of halves
   * @param table {@link #table}
   * @param bits {@link #bits} of the pair
   * @param at and {@code ahead}: those of {@link #bits}
   */
  static float first(
      int format,
      int kind,
      TornadoNativeArray floats,
      FloatArray table,
      int bits,
      int at,
      int ahead) {
    float weight;
    if ((kind & SCALED) != 0) {
      int pair = pair(format, bits, at, ahead);
      weight = format == Q8 ? pair << 8 >> 24 : pair << 4 >> 28;
    } else if ((kind & HALVES) != 0) {
      weight = Half2.lowFloat(((HalfFloatArray) floats).getHalf2(at + ahead));
    } else if (format == F32) {
      weight = ((FloatArray) floats).get(at + ahead);
    } else if ((kind & CUDA) != 0 && format == BF16) {
      weight = BFloat16.bf16ToFloat((short) bits);
    } else if (format == BF16) {
      // Zero and subnormals lack the leading one.
      int leading = (bits & 0x7F80) == 0 ? 0 : 128;
      weight = table.get(BF16_TABLE + ((bits >> 7) & 511)) * (leading + (bits & 127));
    } else {
      boolean isNumber = (bits & 0x7FFF) <= 0x7C00;
      int power = isNumber ? F16_TABLE + (bits >> 9 & 126) : F16_NOT_A_NUMBER;
      weight = table.get(power) * (bits & 1023) + table.get(power + 1);
    }
    return weight;
  }

  /** The second weight of a pair, without its scale; the parameters are those of {@link #first}. */
  static float second(
      int format,
      int kind,
      TornadoNativeArray floats,
      FloatArray table,
      int bits,
      int at,
      int ahead) {
    float weight;
    if ((kind & SCALED) != 0) {
      int pair = pair(format, bits, at, ahead);
      weight = format == Q8 ? pair >> 24 : pair >> 28;
    } else if ((kind & HALVES) != 0) {
      weight = Half2.highFloat(((HalfFloatArray) floats).getHalf2(at + ahead));
    } else if (format == F32) {
      weight = ((FloatArray) floats).get(at + ahead + 1);
    } else if ((kind & CUDA) != 0 && format == BF16) {
      weight = BFloat16.bf16ToFloat((short) (bits >> 16));
    } else if (format == BF16) {
      int leading = (bits & 0x7F800000) == 0 ? 0 : 128;
      weight = table.get(BF16_TABLE + ((bits >> 23) & 511)) * (leading + ((bits >> 16) & 127));
    } else {
      boolean isNumber = (bits >> 16 & 0x7FFF) <= 0x7C00;
      int power = isNumber ? F16_TABLE + (bits >> 25 & 126) : F16_NOT_A_NUMBER;
      weight = table.get(power) * (bits >> 16 & 1023) + table.get(power + 1);
    }
    return weight;
  }

  /** The bits of a pair of whole numbers, moved to the upper end of an int. */
  private static int pair(int format, int bits, int at, int ahead) {
    int above =
        format == Q8 ? 16 - 8 * ((at & 2) + (ahead & 2)) : 24 - 4 * ((at & 6) + (ahead & 6));
    return bits << above;
  }

  /**
   * What a pair is multiplied with.
   *
   * @param floats the scales, if weights have some
   * @param at and {@code ahead}: those of {@link #bits}
   */
  static float scale(int kind, TornadoNativeArray floats, int at, int ahead) {
    float scale = 1;
    if ((kind & SCALED) != 0) {
      scale = ((FloatArray) floats).get((at >> 5) + (ahead >> 5));
    }
    return scale;
  }

  /** The first weight of a pair; the parameters are those of {@link #first}. */
  static float even(
      int format, int kind, TornadoNativeArray floats, FloatArray table, int bits, int at) {
    return first(format, kind, floats, table, bits, at, 0) * scale(kind, floats, at, 0);
  }

  /** The second weight of a pair. */
  static float odd(
      int format, int kind, TornadoNativeArray floats, FloatArray table, int bits, int at) {
    return second(format, kind, floats, table, bits, at, 0) * scale(kind, floats, at, 0);
  }

  /**
   * A weight, for what is no hot loop.
   *
   * @param floats the weights if they are floats, the scales if they have some
   * @param packed the weights, unless they are floats
   */
  public static float weight(
      int format, TornadoNativeArray floats, IntArray packed, FloatArray table, int index) {
    if (format == F32) {
      return ((FloatArray) floats).get(index);
    }
    int first = index & ~1;
    int kind = isScaled(format) ? SCALED : 0;
    int bits = bits(format, kind, packed, first, 0);
    return index == first
        ? even(format, kind, floats, table, bits, first)
        : odd(format, kind, floats, table, bits, first);
  }
}
