package dev.muninn.decode;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.family.huginn.HuginnConfig;
import dev.muninn.model.RecurrentModel;
import dev.muninn.model.ShapeOnly;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class InitialStatesTest {
  private static final int WIDTH = 500;
  private static final RecurrentModel CONFIG =
      ShapeOnly.of(new HuginnConfig(WIDTH, 5, 8, 1, 1, 1, 4, 8, 1_000, 50_000, 1e-6, true, true));

  /** sqrt(2 / (5 h)) * sqrt(h), whatever h. */
  private static final double SIGMA = Math.sqrt(0.4);

  private static float[] state(InitialState description, int position) {
    float[] state = new float[WIDTH];
    new InitialStates(description, CONFIG.core().start()).fill(position, state);
    return state;
  }

  /**
   * A standard normal x, kept where |x| <= 3, has the variance 1 - 6 phi(3) / P(|x| <= 3). Of a
   * million values the mean has a standard error of a thousandth of sigma, and the variance one of
   * 1.4 thousandths: each is asked for within four.
   */
  @ParameterizedTest
  @ValueSource(floats = {1, 0.25f, 3})
  void meanVarianceAndBounds(float scale) {
    double density = Math.exp(-4.5) / Math.sqrt(2 * Math.PI);
    double variance = 1 - 6 * density / 0.9973002039367398;
    double sigma = scale * SIGMA;
    InitialStates states = new InitialStates(new InitialState(scale, 42), CONFIG.core().start());
    float[] state = new float[WIDTH];
    int positions = 2_000;
    double sum = 0;
    double squares = 0;
    double most = 0;
    int positive = 0;
    for (int position = 0; position < positions; position++) {
      states.fill(position, state);
      for (float value : state) {
        sum += value;
        squares += (double) value * value;
        most = Math.max(most, Math.abs(value));
        positive += value > 0 ? 1 : 0;
      }
    }
    int count = positions * WIDTH;
    assertEquals(0, sum / count / sigma, 0.004, "mean");
    assertEquals(variance, squares / count / (sigma * sigma), 0.0056, "variance");
    assertEquals(0.5, (double) positive / count, 0.002, "share of positive values");
    assertTrue(most <= 3 * sigma * (1 + 1e-6), "greatest value: " + most / sigma + " sigma");
    // Of a million values some thousand lie beyond 2.98 sigma if the bound is where it should be.
    assertTrue(most > 2.98 * sigma, "greatest value: " + most / sigma + " sigma");
  }

  /** The share of values within one and two sigma tells a normal distribution from others. */
  @Test
  void shapeOfTheDistribution() {
    InitialStates states = new InitialStates(InitialState.random(7), CONFIG.core().start());
    float[] state = new float[WIDTH];
    int withinOne = 0;
    int withinTwo = 0;
    int positions = 1_000;
    for (int position = 0; position < positions; position++) {
      states.fill(position, state);
      for (float value : state) {
        withinOne += Math.abs(value) < SIGMA ? 1 : 0;
        withinTwo += Math.abs(value) < 2 * SIGMA ? 1 : 0;
      }
    }
    double count = positions * WIDTH;
    double kept = 0.9973002039367398;
    assertEquals(0.6826894921370859 / kept, withinOne / count, 0.003);
    assertEquals(0.9544997361036416 / kept, withinTwo / count, 0.002);
  }

  @Test
  void scaleZeroGivesZeros() {
    InitialStates states = new InitialStates(InitialState.zero(), CONFIG.core().start());
    assertTrue(states.zero());
    float[] state = new float[WIDTH];
    Arrays.fill(state, 5);
    states.fill(3, state);
    assertArrayEquals(new float[WIDTH], state);
    assertTrue(new InitialStates(new InitialState(0, 99), CONFIG.core().start()).zero());
    assertFalse(new InitialStates(InitialState.random(0), CONFIG.core().start()).zero());
  }

  @Test
  void scaleIsFactor() {
    float[] one = state(new InitialState(1, 5), 3);
    float[] two = state(new InitialState(2, 5), 3);
    for (int i = 0; i < WIDTH; i++) {
      assertEquals(2 * one[i], two[i], 1e-6f);
    }
  }

  @Test
  void sameSeedAndPositionGiveTheSameValuesInWhateverOrder() {
    InitialStates upwards = new InitialStates(InitialState.random(11), CONFIG.core().start());
    InitialStates downwards = new InitialStates(InitialState.random(11), CONFIG.core().start());
    int positions = 20;
    float[][] expected = new float[positions][WIDTH];
    for (int position = 0; position < positions; position++) {
      upwards.fill(position, expected[position]);
    }
    float[] state = new float[WIDTH];
    for (int position = positions - 1; position >= 0; position -= 3) {
      downwards.fill(position, state);
      assertArrayEquals(expected[position], state, "position " + position);
      upwards.fill(position, state);
      assertArrayEquals(expected[position], state, "position " + position + " again");
    }
  }

  /** Values of different seeds or positions have nothing to do with each other. */
  @Test
  void otherSeedsAndPositionsAreIndependent() {
    long[] seeds = {0, 1, 2, -1, 1L << 40, Long.MIN_VALUE};
    int[] positions = {0, 1, 2, 3, 999};
    float[][] states = new float[seeds.length * positions.length][];
    for (int i = 0; i < states.length; i++) {
      states[i] =
          state(InitialState.random(seeds[i / positions.length]), positions[i % positions.length]);
    }
    for (int a = 0; a < states.length; a++) {
      for (int b = 0; b < a; b++) {
        double product = 0;
        for (int i = 0; i < WIDTH; i++) {
          product += (double) states[a][i] * states[b][i];
        }
        double correlation = product / WIDTH / (SIGMA * SIGMA);
        // A standard error is 1 / sqrt(500).
        assertTrue(Math.abs(correlation) < 0.25, "correlation " + correlation);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(floats = {-1, Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY})
  void refusedScales(float scale) {
    String message =
        assertThrows(IllegalArgumentException.class, () -> new InitialState(scale, 0)).getMessage();
    assertTrue(message.contains("state scale") && message.endsWith("not " + scale), message);
  }
}
