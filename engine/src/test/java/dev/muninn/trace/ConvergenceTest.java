package dev.muninn.trace;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.OptionalInt;
import java.util.Random;
import org.junit.jupiter.api.Test;

class ConvergenceTest {

  @Test
  void distancesAgreeWithDecimals() {
    Random random = new Random(3);
    for (int width : new int[] {1, 7, 33}) {
      float[][] states = new float[6][width];
      for (float[] state : states) {
        for (int i = 0; i < width; i++) {
          state[i] = (float) random.nextGaussian();
        }
      }
      Convergence convergence = Convergence.of(states);
      for (int i = 0; i < 6; i++) {
        assertEquals(norm(states[i], states[5]), convergence.distances()[i], 1e-12);
        if (i > 0) {
          assertEquals(
              norm(states[i], states[i - 1]) / norm(states[i], new float[width]),
              convergence.relativeChanges()[i],
              1e-12);
        }
      }
      assertTrue(Double.isNaN(convergence.relativeChanges()[0]));
      assertEquals(0, convergence.distances()[5]);
    }
  }

  private static double norm(float[] x, float[] y) {
    BigDecimal sum = BigDecimal.ZERO;
    for (int i = 0; i < x.length; i++) {
      BigDecimal difference = new BigDecimal(x[i]).subtract(new BigDecimal(y[i]));
      sum = sum.add(difference.multiply(difference));
    }
    return sum.sqrt(MathContext.DECIMAL64).doubleValue();
  }

  @Test
  void settlesWhereItStaysBelow() {
    // One dip below does not settle it.
    Convergence convergence =
        new Convergence(new double[6], new double[] {Double.NaN, 0.5, 0.01, 0.2, 0.02, 0.01});
    assertEquals(OptionalInt.of(4), convergence.settled(0.03));
    assertEquals(OptionalInt.of(1), convergence.settled(1));
    assertEquals(OptionalInt.of(5), convergence.settled(0.02));
    assertEquals(OptionalInt.empty(), convergence.settled(0.01));
  }

  @Test
  void oneRecurrenceIsEnough() {
    Convergence convergence = Convergence.of(new float[][] {{3, 4}, {0, 2}});
    assertEquals(Math.sqrt(13), convergence.distances()[0], 1e-12);
    assertEquals(Math.sqrt(13) / 2, convergence.relativeChanges()[1], 1e-12);
    assertEquals(OptionalInt.empty(), convergence.settled(0.03));
  }
}
