package dev.muninn.kernel;

import static dev.muninn.kernel.KernelInputs.assertClose;
import static dev.muninn.kernel.KernelInputs.assertSameBits;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What is done to a row between two products, against the scalar twins and against doubles. */
@EveryWidth
@Tag("without-c2")
class RowKernelsTest {
  private static final int[] SIZES = {
    1, 2, 3, 7, 8, 15, 16, 17, 24, 28, 31, 32, 33, 47, 48, 56, 63, 64, 65, 96, 128, 130, 352
  };
  private static final double TOLERANCE = 1e-5;

  private final KernelInputs inputs = new KernelInputs(5);

  @Test
  void add() {
    for (int size : SIZES) {
      float[] x = inputs.values(size + 9);
      float[] y = inputs.values(size + 9);
      float[] expected = x.clone();
      for (int i = 0; i < size; i++) {
        expected[3 + i] += y[5 + i];
      }
      final float[] twin = x.clone();
      RowKernels.add(x, 3, y, 5, size);
      assertSameBits(expected, x, size + " values");
      ScalarKernels.add(twin, 3, y, 5, size);
      assertSameBits(expected, twin, size + " values by the twin");
    }
  }

  @Test
  void norm() {
    float epsilon = 1e-6f;
    for (int size : SIZES) {
      for (float magnitude : new float[] {1e-4f, 1, 1e4f}) {
        float[] x = inputs.values(size + 6);
        for (int i = 0; i < x.length; i++) {
          x[i] *= magnitude;
        }
        float[] weight = inputs.values(size);
        float[] out = inputs.values(size + 9);
        float[] twin = out.clone();
        float[] before = out.clone();
        RowKernels.norm(x, 3, weight, epsilon, out, 4, size);
        ScalarKernels.norm(x, 3, weight, epsilon, twin, 4, size, new float[Lanes.COUNT]);
        double squares = 0;
        for (int i = 0; i < size; i++) {
          squares += (double) x[3 + i] * x[3 + i];
        }
        double root = Math.sqrt(squares / size + epsilon);
        for (int i = 0; i < size; i++) {
          assertClose(x[3 + i] / root * weight[i], out[4 + i], TOLERANCE, "norm of " + size);
          assertEquals(twin[4 + i], out[4 + i], "twin's norm of " + size);
        }
        assertUntouched(before, out, 4, size);

        RowKernels.norm(x, 3, weight, epsilon, x, 3, size);
        assertSameBits(
            Arrays.copyOfRange(out, 4, 4 + size),
            Arrays.copyOfRange(x, 3, 3 + size),
            "norm of " + size + " in place");
      }
    }
  }

  @Test
  void normOfZerosIsZeros() {
    for (int size : SIZES) {
      float[] out = inputs.values(size);
      RowKernels.norm(new float[size], 0, inputs.values(size), 1e-6f, out, 0, size);
      for (float value : out) {
        assertEquals(0, Math.abs(value));
      }
    }
  }

  @Test
  void gate() {
    for (int size : SIZES) {
      float[] gate = inputs.values(size + 4);
      for (int i = 0; i < gate.length; i++) {
        gate[i] *= i % 5 == 0 ? 60 : 4;
      }
      float[] up = inputs.values(size + 7);
      float[] hidden = inputs.values(size + 9);
      float[] twin = hidden.clone();
      float[] before = hidden.clone();
      RowKernels.gate(gate, 1, up, 6, hidden, 5, size);
      ScalarKernels.gate(gate, 1, up, 6, twin, 5, size);
      for (int i = 0; i < size; i++) {
        double expected = gate[1 + i] / (1 + Math.exp(-gate[1 + i])) * up[6 + i];
        double tolerance = TOLERANCE * Math.max(1, Math.abs(expected));
        String what = "gate " + gate[1 + i] + ", up " + up[6 + i];
        assertClose(expected, hidden[5 + i], tolerance, what);
        assertEquals(twin[5 + i], hidden[5 + i], what);
      }
      assertUntouched(before, hidden, 5, size);
    }
  }

  @ParameterizedTest
  @CsvSource({"false,true", "false,false", "true,true", "true,false"})
  void rotate(boolean halves, boolean biased) {
    for (int size = 2; size <= 130; size += 2) {
      float[] x = inputs.values(size + 4);
      float[] bias = biased ? inputs.values(size + 5) : null;
      float[] cosines = new float[size + 3];
      float[] sines = new float[size + 3];
      int step = halves ? size / 2 : 1;
      for (int pair = 0; pair < size / 2; pair++) {
        int column = halves ? pair : 2 * pair;
        cosines[3 + column] = (float) Math.cos(0.1 + pair);
        cosines[3 + column + step] = cosines[3 + column];
        sines[3 + column] = (float) -Math.sin(0.1 + pair);
        sines[3 + column + step] = -sines[3 + column];
      }
      float[] out = inputs.values(size + 2);
      float[] twin = out.clone();
      float[] before = out.clone();
      if (halves) {
        RowKernels.rotateHalves(x, 4, bias, 5, cosines, sines, 3, out, size);
        ScalarKernels.rotateHalves(x, 4, bias, 5, cosines, sines, 3, twin, size);
      } else {
        RowKernels.rotate(x, 4, bias, 5, cosines, sines, 3, out, size);
        ScalarKernels.rotate(x, 4, bias, 5, cosines, sines, 3, twin, size);
      }
      for (int pair = 0; pair < size / 2; pair++) {
        int column = halves ? pair : 2 * pair;
        double a = x[4 + column];
        double b = x[4 + column + step];
        if (biased) {
          a += bias[5 + column];
          b += bias[5 + column + step];
        }
        double cosine = Math.cos(0.1 + pair);
        double sine = Math.sin(0.1 + pair);
        String what = "pair " + pair + " of " + size / 2;
        assertClose(a * cosine - b * sine, out[column], TOLERANCE, what);
        assertClose(b * cosine + a * sine, out[column + step], TOLERANCE, what);
      }
      assertSameBits(twin, out, size + " columns");
      assertUntouched(before, out, 0, size);
    }
  }

  @Test
  void exponentiate() {
    for (int count = 1; count <= 4 * Lanes.COUNT + 1; count++) {
      for (int kind = 0; kind < 3; kind++) {
        float[] scores = scores(count, kind);
        float[] twin = scores.clone();
        double greatest = Double.NEGATIVE_INFINITY;
        for (int i = 0; i < count; i++) {
          greatest = Math.max(greatest, scores[i]);
        }
        double expectedSum = 0;
        double[] expected = new double[count];
        for (int i = 0; i < count; i++) {
          expected[i] = Math.exp(scores[i] - greatest);
          expectedSum += expected[i];
        }
        String what = count + " scores of kind " + kind;
        float sum = RowKernels.exponentiate(scores, count);
        float twinSum = ScalarKernels.exponentiate(twin, count, new float[Lanes.COUNT]);
        assertClose(expectedSum, sum, TOLERANCE * count, what);
        assertEquals(twinSum, sum, what);
        for (int i = 0; i < count; i++) {
          assertClose(expected[i], scores[i], TOLERANCE, what);
          assertEquals(twin[i], scores[i], what);
          if (expected[i] == 0) {
            assertEquals(0, scores[i], what);
          }
        }
      }
    }
  }

  /** Scores with room for another vector, which holds what an earlier row of scores left. */
  private float[] scores(int count, int kind) {
    float[] scores = inputs.values(count + Lanes.COUNT);
    for (int i = 0; i < scores.length; i++) {
      scores[i] *= kind == 0 ? 1 : 40;
    }
    Arrays.fill(scores, count, scores.length, 1_000);
    if (kind == 2) {
      // Whatever its place, one score is finite: a position always sees itself.
      int finite = inputs.integer(count);
      for (int i = 0; i < count; i++) {
        if (i != finite && i % 3 != 1) {
          scores[i] = Float.NEGATIVE_INFINITY;
        }
      }
    }
    return scores;
  }

  @Test
  void aScoreThatIsNoNumberIsNotLost() {
    for (int count = 1; count <= 2 * Lanes.COUNT + 1; count++) {
      float[] scores = inputs.values(count + Lanes.COUNT);
      scores[count / 2] = Float.NaN;
      assertTrue(Float.isNaN(RowKernels.exponentiate(scores, count)), count + " scores");
    }
  }

  @Test
  void exponentialsAreWithinTwoUnitsInTheLastPlace() {
    int count = 64 * Lanes.COUNT;
    double worst = 0;
    for (int block = 0; block < 200; block++) {
      float[] x = new float[count];
      for (int i = 0; i < count; i++) {
        double share = (block * count + i + inputs.integer(1_000) / 1_000.0) / (200.0 * count);
        x[i] = (float) (-87.32 + share * (88.36 + 87.32));
      }
      worst = Math.max(worst, worstError(x));
    }
    // Around zero, where attention's greatest scores are.
    float[] small = inputs.values(count);
    worst = Math.max(worst, worstError(small));
    assertTrue(worst <= 2, "worst error: " + worst + " units in the last place");
  }

  private static double worstError(float[] x) {
    float[] y = x.clone();
    RowKernels.exponentials(y, 0, y.length);
    double worst = 0;
    for (int i = 0; i < x.length; i++) {
      double exact = Math.exp(x[i]);
      double error = Math.abs(y[i] - exact) / Math.ulp((float) exact);
      assertTrue(!Double.isNaN(error), "exp(" + x[i] + ") = " + y[i]);
      worst = Math.max(worst, error);
    }
    return worst;
  }

  /** Of values of all sizes, numbers or not. */
  @Test
  void exponentialsAreTheTwinsToTheLastBit() {
    float[] x = new float[64 * Lanes.COUNT];
    for (int block = 0; block < 50; block++) {
      for (int i = 0; i < x.length; i++) {
        int bits = inputs.integer(1 << 16) << 16 | inputs.integer(1 << 16);
        x[i] = i % 2 == 0 ? Float.intBitsToFloat(bits) : 200 * (bits * 0x1p-31f);
      }
      float[] y = x.clone();
      RowKernels.exponentials(y, 0, y.length);
      for (int i = 0; i < x.length; i++) {
        // Not told apart: NaN of other bits.
        assertEquals(ScalarKernels.exponential(x[i]), y[i], "exp(" + x[i] + ")");
      }
    }
  }

  @Test
  void exponentialsOfExtremes() {
    float[][] cases = {
      {0, 1},
      {-0f, 1},
      {-87.5f, 0},
      {-200, 0},
      {-Float.MAX_VALUE, 0},
      {Float.NEGATIVE_INFINITY, 0},
      {Float.MIN_VALUE, 1},
      {-Float.MIN_VALUE, 1},
    };
    for (float[] pair : cases) {
      assertEquals(pair[1], exponential(pair[0]), "exp(" + pair[0] + ")");
    }
    double most = Math.exp(88.3f);
    assertClose(most, exponential(88.3f), 2 * Math.ulp((float) most), "exp(88.3)");
    for (float beyond : new float[] {88.4f, 89, 200, Float.MAX_VALUE, Float.POSITIVE_INFINITY}) {
      float value = exponential(beyond);
      assertTrue(value >= exponential(88.37f), "exp(" + beyond + ") = " + value);
    }
    assertTrue(Float.isNaN(exponential(Float.NaN)));
  }

  /** In every lane the same. */
  private static float exponential(float value) {
    float[] x = new float[3 * Lanes.COUNT];
    Arrays.fill(x, value);
    RowKernels.exponentials(x, Lanes.COUNT, Lanes.COUNT);
    for (int i = 0; i < x.length; i++) {
      boolean inside = i >= Lanes.COUNT && i < 2 * Lanes.COUNT;
      assertEquals(inside ? x[Lanes.COUNT] : value, x[i]);
    }
    return x[Lanes.COUNT];
  }

  private static void assertUntouched(float[] before, float[] after, int from, int size) {
    for (int i = 0; i < before.length; i++) {
      if (i < from || i >= from + size) {
        assertEquals(before[i], after[i], "index " + i + " beside " + size + " values");
      }
    }
  }
}
