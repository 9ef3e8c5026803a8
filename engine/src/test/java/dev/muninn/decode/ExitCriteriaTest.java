package dev.muninn.decode;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.family.huginn.HuginnConfig;
import dev.muninn.model.RecurrentModel;
import dev.muninn.model.ShapeOnly;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The values of the criteria against their definitions, and how they are told. */
class ExitCriteriaTest {
  private static final int VOCABULARY = 37;
  private static final RecurrentModel CONFIG =
      ShapeOnly.of(new HuginnConfig(8, 2, 8, 1, 1, 1, 4, VOCABULARY, 16, 50_000, 1e-6, true, true));
  private static final int STEPS = 40;

  private static ExitCriterion criterion(String text) {
    return ExitCriteria.parse(text).create(CONFIG);
  }

  /** Logits that change less from step to step, as those of a model do. */
  private static double[][] logits(long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    double[][] logits = new double[STEPS][VOCABULARY];
    for (int step = 0; step < STEPS; step++) {
      for (int token = 0; token < VOCABULARY; token++) {
        double before = step == 0 ? 0 : logits[step - 1][token];
        // Floats, so that both sides begin from the same numbers.
        logits[step][token] = (float) (before + random.nextGaussian(0, 4 * Math.pow(0.8, step)));
      }
    }
    return logits;
  }

  private static double[] softmax(double[] logits) {
    double[] probabilities = new double[logits.length];
    double sum = 0;
    for (double logit : logits) {
      sum += Math.exp(logit);
    }
    for (int token = 0; token < logits.length; token++) {
      probabilities[token] = Math.exp(logits[token]) / sum;
    }
    return probabilities;
  }

  /** Tokens below a tenth of the likeliest count as 1 / V; all are normalised again. */
  private static double[] filtered(double[] probabilities) {
    double most = Arrays.stream(probabilities).max().orElseThrow();
    double[] filtered = probabilities.clone();
    for (int token = 0; token < filtered.length; token++) {
      if (probabilities[token] < 0.1 * most) {
        filtered[token] = 1.0 / VOCABULARY;
      }
    }
    double sum = Arrays.stream(filtered).sum();
    for (int token = 0; token < filtered.length; token++) {
      filtered[token] /= sum;
    }
    return filtered;
  }

  private static double divergence(double[] p, double[] q) {
    double sum = 0;
    for (int token = 0; token < p.length; token++) {
      sum += p[token] * Math.log(p[token] / q[token]);
    }
    return sum;
  }

  private static double entropy(double[] p) {
    double sum = 0;
    for (double probability : p) {
      sum -= probability * Math.log(probability);
    }
    return sum;
  }

  private static int argmax(double[] values) {
    int best = 0;
    for (int i = 1; i < values.length; i++) {
      best = values[i] > values[best] ? i : best;
    }
    return best;
  }

  /** What a logit criterion should measure at each step. */
  private static double[] expected(String name, double[][] logits) {
    double[] uniform = new double[VOCABULARY];
    Arrays.fill(uniform, 1.0 / VOCABULARY);
    double[] values = new double[STEPS];
    double[] before = uniform;
    int stable = 0;
    for (int step = 0; step < STEPS; step++) {
      double[] now = softmax(logits[step]);
      if (name.equals("minp-kl")) {
        now = filtered(now);
      }
      values[step] =
          switch (name) {
            case "kl", "minp-kl" -> divergence(before, now);
            case "entropy-diff" -> Math.abs(entropy(now) - (step == 0 ? 100 : entropy(before)));
            default -> {
              boolean same = step > 0 && argmax(logits[step]) == argmax(logits[step - 1]);
              stable = same ? stable + 1 : 0;
              yield stable;
            }
          };
      before = now;
    }
    return values;
  }

  @ParameterizedTest
  @ValueSource(strings = {"kl", "minp-kl", "entropy-diff", "argmax-stability"})
  void logitCriteriaMeasureWhatTheyAreDefinedAs(String name) {
    ExitCriterion criterion = criterion(name);
    assertTrue(criterion.readsLogits());
    float[] latents = new float[3 * CONFIG.width()];
    for (long seed = 0; seed < 8; seed++) {
      double[][] logits = logits(seed);
      double[] expected = expected(name, logits);
      // An instance is used for one forward after the other, of different numbers of rows.
      int rows = 1 + (int) seed % 3;
      criterion.begin(latents, rows, CONFIG.width());
      for (int step = 0; step < STEPS; step++) {
        float[] row = new float[VOCABULARY];
        for (int token = 0; token < VOCABULARY; token++) {
          row[token] = (float) logits[step][token];
        }
        double value = criterion.measure(latents, rows, CONFIG.width(), row);
        assertEquals(expected[step], value, 1e-7, name + " at step " + step);
      }
    }
  }

  /** Large logits, of which e^x is not a number, and some that exclude a token. */
  @ParameterizedTest
  @ValueSource(strings = {"kl", "minp-kl", "entropy-diff"})
  void largeLogitsOverflowNothing(String name) {
    ExitCriterion criterion = criterion(name);
    float[] latents = new float[CONFIG.width()];
    double[][] logits = logits(1);
    double[] expected = expected(name, logits);
    criterion.begin(latents, 1, CONFIG.width());
    for (int step = 0; step < STEPS; step++) {
      float[] row = new float[VOCABULARY];
      for (int token = 0; token < VOCABULARY; token++) {
        row[token] = (float) (logits[step][token] + 2_000);
      }
      double value = criterion.measure(latents, 1, CONFIG.width(), row);
      // Logits of 2000 are 1e-4 apart at the least.
      assertEquals(expected[step], value, 5e-3 * Math.max(1, expected[step]));
    }
  }

  /** States of several rows; those of step 0 may be zero. */
  private static float[][] states(int rows, boolean fromZero, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    float[][] states = new float[STEPS][rows * CONFIG.width()];
    for (int step = 0; step < STEPS; step++) {
      for (int i = 0; i < states[step].length; i++) {
        float before = step == 0 ? 0 : states[step - 1][i];
        states[step][i] =
            step == 0 && fromZero
                ? 0
                : (float) (before + random.nextGaussian(0, 2 * Math.pow(0.7, step)));
      }
    }
    return states;
  }

  private static double norm(double[] x) {
    double sum = 0;
    for (double value : x) {
      sum += value * value;
    }
    return Math.sqrt(sum);
  }

  private static double latentDifference(float[] x, float[] y, int row) {
    int width = CONFIG.width();
    double[] difference = new double[width];
    double[] current = new double[width];
    for (int i = 0; i < width; i++) {
      current[i] = x[row * width + i];
      difference[i] = current[i] - y[row * width + i];
    }
    return norm(difference) / norm(current);
  }

  private static double cosine(float[] x, float[] y, int row) {
    int width = CONFIG.width();
    double[] current = new double[width];
    double[] previous = new double[width];
    double product = 0;
    for (int i = 0; i < width; i++) {
      current[i] = x[row * width + i];
      previous[i] = y[row * width + i];
      product += current[i] * previous[i];
    }
    return 1 - product / (norm(current) * norm(previous));
  }

  @ParameterizedTest
  @CsvSource({"latent-diff, false", "latent-diff, true", "cosine, false", "cosine, true"})
  void latentCriteriaAverageOverTheirRows(String name, boolean fromZero) {
    ExitCriterion criterion = criterion(name);
    assertFalse(criterion.readsLogits());
    int width = CONFIG.width();
    for (int rows : new int[] {1, 5, 2}) {
      float[][] states = states(rows, fromZero, rows);
      criterion.begin(states[0].clone(), rows, width);
      // The engine passes the same array again and again.
      float[] passed = new float[rows * width];
      for (int step = 1; step < STEPS; step++) {
        double expected = 0;
        for (int row = 0; row < rows; row++) {
          expected +=
              name.equals("cosine")
                  ? cosine(states[step], states[step - 1], row)
                  : latentDifference(states[step], states[step - 1], row);
        }
        expected /= rows;
        System.arraycopy(states[step], 0, passed, 0, passed.length);
        double value = criterion.measure(passed, rows, width, new float[0]);
        if (fromZero && step == 1) {
          if (name.equals("cosine")) {
            assertTrue(Double.isNaN(value));
            assertFalse(criterion.satisfied(value));
          } else {
            assertEquals(1, value, 1e-12);
          }
        } else {
          assertEquals(expected, value, 1e-6, name + " at step " + step + " of " + rows);
        }
      }
    }
  }

  @ParameterizedTest
  @CsvSource({
    "entropy-diff, 1e-3",
    "latent-diff, 0.03",
    "cosine, 1e-3",
    "kl, 1e-3",
    "minp-kl, 1e-5",
    "kl:5e-4, 5e-4",
    "kl:1, 1",
    "latent-diff:0.25, 0.25",
    "cosine:1e-9, 1e-9",
    "minp-kl:7, 7",
    "entropy-diff:.5, .5"
  })
  void rowsLeaveBelowTheThreshold(String text, double threshold) {
    ExitCriterion criterion = criterion(text);
    assertFalse(criterion.satisfied(threshold));
    assertFalse(criterion.satisfied(Math.nextUp(threshold)));
    assertTrue(criterion.satisfied(Math.nextDown(threshold)));
    assertFalse(criterion.satisfied(Double.NaN));
  }

  @ParameterizedTest
  @CsvSource({"argmax-stability, 5", "argmax-stability:2, 2", "argmax-stability:1, 1"})
  void rowsLeaveWhenTheTokenStayedForSoLong(String text, double threshold) {
    ExitCriterion criterion = criterion(text);
    assertFalse(criterion.satisfied(threshold - 1));
    assertTrue(criterion.satisfied(threshold));
    assertTrue(criterion.satisfied(threshold + 1));
    assertFalse(criterion.satisfied(Double.NaN));
  }

  /**
   * Each group of rows gets a criterion of its own: two of a factory know nothing of each other.
   */
  @Test
  void aFactoryMakesNewOnes() {
    ExitCriteria.Factory factory = ExitCriteria.parse("argmax-stability:1");
    ExitCriterion one = factory.create(CONFIG);
    ExitCriterion other = factory.create(CONFIG);
    float[] latents = new float[CONFIG.width()];
    float[] logits = new float[VOCABULARY];
    one.begin(latents, 1, latents.length);
    other.begin(latents, 1, latents.length);
    assertEquals(0, one.measure(latents, 1, latents.length, logits));
    assertEquals(1, one.measure(latents, 1, latents.length, logits));
    assertEquals(0, other.measure(latents, 1, latents.length, logits));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "KL", "kl ", "entropy", "latent-diff;1", ":1", "kl-"})
  void anUnknownNameIsRefused(String text) {
    String message =
        assertThrows(IllegalArgumentException.class, () -> ExitCriteria.parse(text)).getMessage();
    assertFalse(message.contains("\n"));
    String name = text.startsWith(":") ? "" : text;
    assertTrue(message.startsWith("exit criterion \"" + name + "\" is none of "), message);
    for (String known :
        new String[] {
          "entropy-diff", "latent-diff", "cosine", "kl", "minp-kl", "argmax-stability", "gate"
        }) {
      assertTrue(message.contains(known), message);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "kl, 0, positive number",
    "kl, -1, positive number",
    "kl, '', positive number",
    "kl, x, positive number",
    "kl, NaN, positive number",
    "kl, Infinity, positive number",
    "kl, 1:2, positive number",
    "kl, '0,5', positive number",
    "latent-diff, -0.0, positive number",
    "argmax-stability, 1.5, positive whole number",
    "argmax-stability, 0, positive whole number",
    "argmax-stability, -2, positive whole number",
    "argmax-stability, five, positive whole number",
    "gate, 0, number above 0 and at most 1",
    "gate, 1.01, number above 0 and at most 1",
    "gate, -1, number above 0 and at most 1",
    "gate, NaN, number above 0 and at most 1",
    "gate, x, number above 0 and at most 1"
  })
  void aBadThresholdIsRefused(String name, String threshold, String what) {
    String message =
        assertThrows(
                IllegalArgumentException.class, () -> ExitCriteria.parse(name + ":" + threshold))
            .getMessage();
    assertEquals("exit threshold \"" + threshold + "\" of " + name + " is not a " + what, message);
  }

  @ParameterizedTest
  @ValueSource(strings = {"kl", "kl:0.5", "argmax-stability:3", "gate", "gate:0.7", "cosine"})
  void whatIsParsedComparesAsAValue(String text) {
    ExitCriteria.Factory first = ExitCriteria.parse(text);
    ExitCriteria.Factory second = ExitCriteria.parse(new String(text.toCharArray()));
    assertEquals(first, second);
    assertEquals(first.hashCode(), second.hashCode());
    assertEquals(ExitOptions.of(first), ExitOptions.of(second));
    assertEquals(
        DecodingOptions.defaults().withExit(ExitOptions.of(first)),
        DecodingOptions.defaults().withExit(ExitOptions.of(second)));
    assertNotEquals(first, ExitCriteria.parse("kl:0.25"));
    assertEquals(ExitCriteria.parse("kl"), ExitCriteria.parse("kl:0.001"));
    assertNotEquals(ExitCriteria.parse("gate"), ExitCriteria.parse("gate:0.7"));
  }

  @Test
  void aModelWithoutAGateRefusesIt() {
    for (String text : new String[] {"gate", "gate:0.5"}) {
      ExitCriteria.Factory gate = ExitCriteria.parse(text);
      IllegalArgumentException refusal =
          assertThrows(IllegalArgumentException.class, () -> gate.requireFits(CONFIG));
      assertFalse(refusal.getMessage().contains("\n"));
      assertTrue(refusal.getMessage().contains("gate"), refusal.getMessage());
    }
    ExitCriteria.parse("kl").requireFits(CONFIG);
  }
}
