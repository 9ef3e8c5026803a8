package dev.muninn.tornado.kernel;

import uk.ac.manchester.tornado.api.math.TornadoMath;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * How keys and values are stored: the bits of floats, or two by two the upper halves of floats, in
 * ints. A unit is as many ints as a key has numbers. A position of a block has its key and then its
 * value: in BF16 they take one unit, in F32 two. Sequences of both types share an array.
 *
 * <p>A device that cannot reinterpret bits makes them by arithmetic, which is exact from 2^-119 to
 * 2^127; smaller values are stored as zero, larger ones as NaN.
 */
public final class CacheFormat {
  /** Units that a position takes in BF16. */
  public static final int BF16_UNITS = 1;

  /** Units that a position takes in F32. */
  public static final int F32_UNITS = 2;

  private static final float LIMIT = 0x1p127f;
  private static final int LIMIT_EXPONENT = 254;

  /** Where 2^(127 - exponent) stands in the table that has 2^(exponent - 134). */
  private static final int RECIPROCAL = 261;

  private static final int LEAST_EXPONENT = 8;
  private static final int NOT_A_NUMBER = 0x7FC00000;

  private CacheFormat() {}

  /**
   * The first of two neighbouring numbers of a position.
   *
   * @param table {@link WeightFormat#table}
   * @param units {@link #BF16_UNITS} or {@link #F32_UNITS}
   * @param from first int of the position
   * @param number which of a position's it is, an even one
   */
  public static float even(IntArray cache, FloatArray table, int units, int from, int number) {
    int bits;
    if (units == F32_UNITS) {
      bits = cache.get(from + number);
    } else {
      bits = cache.get(from + (number >> 1)) << 16;
    }
    return number(table, bits);
  }

  /** The second of the two; the parameters are those of {@link #even}. */
  public static float odd(IntArray cache, FloatArray table, int units, int from, int number) {
    int bits;
    if (units == F32_UNITS) {
      bits = cache.get(from + number + 1);
    } else {
      bits = cache.get(from + (number >> 1)) & 0xFFFF0000;
    }
    return number(table, bits);
  }

  /** Any number of a position; the parameters are those of {@link #even}. */
  public static float get(IntArray cache, FloatArray table, int units, int from, int number) {
    int bits;
    if (units == F32_UNITS) {
      bits = cache.get(from + number);
    } else {
      int both = cache.get(from + (number >> 1));
      bits = (number & 1) == 0 ? both << 16 : both & 0xFFFF0000;
    }
    return number(table, bits);
  }

  /** The float of these bits. */
  private static float number(FloatArray table, int bits) {
    int leading = (bits & 0x7F800000) == 0 ? 0 : 1 << 23;
    return table.get((bits >> 23) & 511) * ((leading + (bits & 0x7FFFFF)) * 0x1p-16f);
  }

  /** Stores two neighbouring numbers, of which the first is even; BF16 is rounded to nearest. */
  public static void set(
      IntArray cache, FloatArray table, int units, int from, int number, float even, float odd) {
    int first = bits(table, even);
    int second = bits(table, odd);
    if (units == F32_UNITS) {
      cache.set(from + number, first);
      cache.set(from + number + 1, second);
    } else {
      cache.set(
          from + number / 2, ((rounded(first) >> 16) & 0xFFFF) | (rounded(second) & 0xFFFF0000));
    }
  }

  /** To the nearest in the upper half, ties to even. */
  private static int rounded(int bits) {
    return bits + 0x7FFF + ((bits >> 16) & 1);
  }

  /** The bits of a float. */
  static int bits(FloatArray table, float value) {
    float size = TornadoMath.abs(value);
    int bits = NOT_A_NUMBER;
    if (size < LIMIT) {
      int exponent = 0;
      for (int step = 128; step > 0; step /= 2) {
        int tried = exponent + step;
        if (tried < LIMIT_EXPONENT) {
          if (size >= table.get(tried) * 128) {
            exponent = tried;
          }
        }
      }
      bits = 0;
      if (exponent >= LEAST_EXPONENT) {
        int significand = (int) (size * table.get(RECIPROCAL - exponent) * 0x1p23f);
        bits = (exponent << 23) + significand - (1 << 23);
        if (value < 0) {
          bits += Integer.MIN_VALUE;
        }
      }
    }
    return bits;
  }
}
