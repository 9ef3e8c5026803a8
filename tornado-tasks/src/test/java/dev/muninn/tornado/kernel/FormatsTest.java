package dev.muninn.tornado.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.HalfFloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/** How weights, keys and values are read and stored. */
class FormatsTest extends KernelFixture {
  @Test
  void everyHalfIsReadExactly() {
    IntArray halves = new IntArray(1 << 15);
    FloatArray none = new FloatArray(1);
    for (int bits = 0; bits < 1 << 16; bits += 2) {
      halves.set(bits / 2, bits | bits + 1 << 16);
    }
    HalfFloatArray converting = new HalfFloatArray(1 << 16);
    converting.getSegment().copyFrom(halves.getSegment());
    int kind = WeightFormat.CUDA | WeightFormat.HALVES;
    for (int bits = 0; bits < 1 << 16; bits++) {
      float bf16 = Float.intBitsToFloat(bits << 16);
      if (Float.isFinite(bf16)) {
        float read = WeightFormat.weight(WeightFormat.BF16, none, halves, table, bits);
        assertEquals(bf16, read, "BF16 " + bits);
        int pair = WeightFormat.bits(WeightFormat.BF16, 0, halves, bits & ~1, 0);
        float converted =
            (bits & 1) == 0
                ? WeightFormat.even(WeightFormat.BF16, WeightFormat.CUDA, none, table, pair, bits)
                : WeightFormat.odd(
                    WeightFormat.BF16, WeightFormat.CUDA, none, table, pair, bits - 1);
        assertEquals(bf16, converted, "BF16 " + bits);
      }
      float f16 = Float.float16ToFloat((short) bits);
      float read = WeightFormat.weight(WeightFormat.F16, none, halves, table, bits);
      assertEquals(f16, read, "F16 " + bits);
      int pair = WeightFormat.bits(WeightFormat.F16, kind, halves, bits & ~1, 0);
      float converted =
          (bits & 1) == 0
              ? WeightFormat.even(WeightFormat.F16, kind, converting, table, pair, bits)
              : WeightFormat.odd(WeightFormat.F16, kind, converting, table, pair, bits - 1);
      assertEquals(f16, converted, "F16 " + bits);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {WeightFormat.Q8, WeightFormat.Q4})
  void wholeNumbersAreReadWithTheirScales(int format) {
    int columns = 70;
    Weights weights = new Weights(format, 3, columns);
    for (int row = 0; row < 3; row++) {
      for (int column = 0; column < columns; column++) {
        int at = row * weights.stride + column;
        float read = WeightFormat.weight(format, weights.floats, weights.packed, table, at);
        assertEquals(weights.values[row][column], read, "row " + row + ", column " + column);
      }
    }
  }

  /** Floats of every exponent, exactly, and as BF16 rounded as the engine rounds them. */
  @Test
  void keysAndValuesAreStoredAsTheirBits() {
    for (int exponent = 0; exponent < 256; exponent++) {
      for (int i = 0; i < 64; i++) {
        int significand = i < 2 ? i * 0x7FFFFF : i < 8 ? i << 15 : random.nextInt(1 << 23);
        float value = Float.intBitsToFloat((i & 1) << 31 | exponent << 23 | significand);
        checkStored(value, exponent);
      }
    }
  }

  private void checkStored(float value, int exponent) {
    IntArray cache = new IntArray(4);
    for (int units = CacheFormat.BF16_UNITS; units <= CacheFormat.F32_UNITS; units++) {
      CacheFormat.set(cache, table, units, 1, 0, value, -value);
      float even = CacheFormat.get(cache, table, units, 1, 0);
      float odd = CacheFormat.get(cache, table, units, 1, 1);
      if (exponent < 8) {
        assertEquals(0, even);
        assertEquals(0, odd);
      } else if (exponent < 254) {
        assertEquals(stored(units, value), even, () -> value + " with exponent " + exponent);
        assertEquals(stored(units, -value), odd, () -> -value + " with exponent " + exponent);
      } else {
        assertEquals(Float.POSITIVE_INFINITY, Math.abs(even));
      }
    }
  }
}
