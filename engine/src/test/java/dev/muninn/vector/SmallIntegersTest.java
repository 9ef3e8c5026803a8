package dev.muninn.vector;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("widths")
class SmallIntegersTest {
  @Test
  void productsAreThoseOfConvertedIntegersToTheLastBit() {
    for (int n : new int[] {0, 1, 7, 15, 0xF0, 0xF000, 255, 0xFF00, 0xFF0000, 1 << 24}) {
      for (float x : new float[] {1, -3.1415927f, 0x1p-60f, 1e14f, -0x1.fffffep22f, 0}) {
        float product = SmallIntegers.toFloat(n) * (x * SmallIntegers.ACTIVATIONS);
        assertEquals(n * x, product * SmallIntegers.OUTPUTS, n + " times " + x);
      }
    }
  }

  @Test
  void infinityAndNanStay() {
    float infinite = Float.POSITIVE_INFINITY * SmallIntegers.ACTIVATIONS;
    assertEquals(Float.POSITIVE_INFINITY, SmallIntegers.toFloat(3) * infinite);
    assertTrue(Float.isNaN(SmallIntegers.toFloat(0) * infinite));
    assertTrue(Float.isNaN(SmallIntegers.toFloat(3) * (Float.NaN * SmallIntegers.ACTIVATIONS)));
  }
}
