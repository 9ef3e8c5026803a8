package dev.muninn.tornado.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;
import uk.ac.manchester.tornado.api.types.arrays.ShortArray;

/** How weights, keys and values are read and stored. */
class FormatsTest extends KernelFixture {
  @Test
  void everyFiniteHalfIsReadExactly() {
    ShortArray halves = new ShortArray(1 << 16);
    FloatArray none = new FloatArray(1);
    for (int bits = 0; bits < 1 << 16; bits++) {
      halves.set(bits, (short) bits);
    }
    for (int bits = 0; bits < 1 << 16; bits++) {
      float bf16 = Float.intBitsToFloat(bits << 16);
      if (Float.isFinite(bf16)) {
        float read = WeightFormat.weight(WeightFormat.BF16, none, halves, table, bits);
        assertEquals(bf16, read, "BF16 " + bits);
      }
      float f16 = Float.float16ToFloat((short) bits);
      if (Float.isFinite(f16)) {
        float read = WeightFormat.weight(WeightFormat.F16, none, halves, table, bits);
        assertEquals(f16, read, "F16 " + bits);
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
