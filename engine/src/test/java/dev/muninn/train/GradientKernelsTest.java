package dev.muninn.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Backward kernels against their scalar twins, and those against definitions in doubles. */
class GradientKernelsTest {
  private static final float EPSILON = 1e-6f;

  private final GradientKernels kernels = new GradientKernels();

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 7, 16, 24, 31, 32, 33, 128, 352})
  void normBackward(int size) {
    for (boolean add : new boolean[] {false, true}) {
      SplittableRandom random = new SplittableRandom(size);
      float[] x = values(random, size + 3);
      float[] weight = values(random, size);
      float[] dy = values(random, size + 1);
      float[] dx = values(random, size + 2);
      float[] dWeight = values(random, size);
      float[] expected = dx.clone();
      float[] expectedWeight = dWeight.clone();
      ScalarGradientKernels.normBackward(
          x, 3, weight, EPSILON, dy, 1, expected, 2, expectedWeight, size, add);
      float[] before = dx.clone();
      kernels.normBackward(x, 3, weight, EPSILON, dy, 1, dx, 2, dWeight, size, add);
      assertArrayEquals(expected, dx);
      assertArrayEquals(expectedWeight, dWeight);
      double squares = 0;
      double products = 0;
      for (int i = 0; i < size; i++) {
        squares += (double) x[3 + i] * x[3 + i];
        products += (double) dy[1 + i] * weight[i] * x[3 + i];
      }
      double scale = 1 / Math.sqrt(squares / size + EPSILON);
      for (int i = 0; i < size; i++) {
        double derivative =
            scale * dy[1 + i] * weight[i] - Math.pow(scale, 3) * products / size * x[3 + i];
        assertEquals(derivative + (add ? before[2 + i] : 0), dx[2 + i], 1e-4 * (1 + scale));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 5, 16, 31, 40, 352})
  void gateBackward(int size) {
    SplittableRandom random = new SplittableRandom(size);
    float[] gateUp = values(random, 2 * size + 1);
    float[] dHidden = values(random, size + 2);
    float[] hidden = new float[size + 3];
    float[] dGateUp = new float[2 * size + 4];
    float[] expectedHidden = hidden.clone();
    float[] expected = dGateUp.clone();
    ScalarGradientKernels.gateBackward(
        gateUp, 1, 1 + size, dHidden, 2, expectedHidden, 3, expected, 4, 0, size);
    GradientKernels.gateBackward(gateUp, 1, 1 + size, dHidden, 2, hidden, 3, dGateUp, 4, size);
    assertArrayEquals(expectedHidden, hidden);
    assertArrayEquals(expected, dGateUp);
    for (int i = 0; i < size; i++) {
      double gate = gateUp[1 + i];
      double up = gateUp[1 + size + i];
      double sigmoid = 1 / (1 + Math.exp(-gate));
      double d = dHidden[2 + i];
      assertEquals(gate * sigmoid * up, hidden[3 + i], 1e-6);
      assertEquals(d * up * sigmoid * (1 + gate * (1 - sigmoid)), dGateUp[4 + i], 2e-6);
      assertEquals(d * gate * sigmoid, dGateUp[4 + size + i], 1e-6);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3, 16, 17, 72})
  void softmaxBackward(int size) {
    SplittableRandom random = new SplittableRandom(size);
    float[] p = values(random, size + 1);
    float[] d = values(random, size + 2);
    float[] expected = d.clone();
    ScalarGradientKernels.softmaxBackward(p, 1, expected, 2, size, 0.25f);
    double sum = 0;
    for (int i = 0; i < size; i++) {
      sum += (double) p[1 + i] * d[2 + i];
    }
    float[] before = d.clone();
    kernels.softmaxBackward(p, 1, d, 2, size, 0.25f);
    assertArrayEquals(expected, d);
    for (int i = 0; i < size; i++) {
      assertEquals(0.25 * p[1 + i] * (before[2 + i] - sum), d[2 + i], 1e-5);
    }
  }

  private static float[] values(SplittableRandom random, int count) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) (2 * random.nextDouble() - 1);
    }
    return values;
  }
}
