package dev.muninn.decode;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import dev.muninn.backend.InferenceException;
import java.lang.management.ManagementFactory;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class SamplerTest {
  private static final SamplingOptions GREEDY = SamplingOptions.greedy();
  private static final SamplingOptions PLAIN = GREEDY.withTemperature(1);
  private static final float INFINITY = Float.POSITIVE_INFINITY;

  @Test
  void greedyTakesTheFirstOfTheHighest() {
    assertEquals(1, new Sampler(GREEDY, 4).sample(new float[] {1, 3, 3, 2}));
    assertEquals(0, new Sampler(GREEDY, 2).sample(new float[] {-0f, 0f}));
    assertEquals(2, new Sampler(GREEDY, 3).sample(new float[] {-INFINITY, -INFINITY, -9}));
    assertArrayEquals(new float[] {0, 1, 0, 0}, distribution(GREEDY, new float[] {1, 3, 3, 2}));
  }

  @Test
  void topKOfOneIsGreedy() {
    float[] logits = {1, 3, 3, 2};
    assertArrayEquals(new float[] {0, 1, 0, 0}, distribution(PLAIN.withTopK(1), logits));
  }

  @Test
  void lowTemperatureApproachesGreedy() {
    float[] logits = {-Float.MAX_VALUE, 3, 2.999f, Float.MAX_VALUE, 0};
    for (float temperature : new float[] {1e-3f, Float.MIN_NORMAL, Float.MIN_VALUE}) {
      assertArrayEquals(
          new float[] {0, 0, 0, 1, 0}, distribution(PLAIN.withTemperature(temperature), logits));
    }
  }

  @Test
  void highTemperatureApproachesTheUniformDistribution() {
    float[] found = distribution(PLAIN.withTemperature(1e30f), new float[] {1, 2, -INFINITY, 90});
    assertArrayEquals(new float[] {1 / 3f, 1 / 3f, 0, 1 / 3f}, found, 1e-6f);
  }

  @Test
  void tiesGoToTheLowestToken() {
    float[] logits = {1, 2, 2, 2, 0, -0f};
    assertArrayEquals(
        new float[] {0, 0.5f, 0.5f, 0, 0, 0}, distribution(PLAIN.withTopK(2), logits));
    float[] uniform = new float[8];
    assertArrayEquals(
        new float[] {0.25f, 0.25f, 0.25f, 0.25f, 0, 0, 0, 0},
        distribution(PLAIN.withTopP(0.5f), uniform));
    assertArrayEquals(
        new float[] {1, 0, 0, 0, 0, 0, 0, 0},
        distribution(PLAIN.withTopP(Float.MIN_VALUE), uniform));
    float[] zeros = {0f, -0f, 0f, -1};
    assertArrayEquals(new float[] {0.5f, 0.5f, 0, 0}, distribution(PLAIN.withTopK(2), zeros));
  }

  @Test
  void minPOfOneKeepsTheHighest() {
    assertArrayEquals(
        new float[] {0, 0.5f, 0.5f, 0}, distribution(PLAIN.withMinP(1), new float[] {1, 3, 3, 2}));
  }

  @Test
  void filtersThatKeepEverythingChangeNothing() {
    float[] logits = randomLogits(new Random(1), 100);
    float[] plain = distribution(PLAIN, logits);
    assertArrayEquals(plain, distribution(PLAIN.withTopK(100), logits));
    assertArrayEquals(plain, distribution(PLAIN.withTopK(Integer.MAX_VALUE), logits));
    assertArrayEquals(plain, distribution(PLAIN.withTopP(1).withMinP(0), logits));
  }

  @Test
  void topPLooksAtWhatTopKLeft() {
    // Of 0.4 0.3 0.2 0.1, top-k leaves 0.4 0.3; 0.4 of these is 0.57, which reaches 0.55 alone.
    float[] logits = {ln(0.1), ln(0.4), ln(0.3), ln(0.2)};
    assertArrayEquals(
        new float[] {0, 1, 0, 0}, distribution(PLAIN.withTopK(2).withTopP(0.55f), logits));
    assertArrayEquals(
        new float[] {0, 4 / 7f, 3 / 7f, 0}, distribution(PLAIN.withTopP(0.55f), logits), 1e-6f);
  }

  @Test
  void filtersSeeTheTemperature() {
    // Squared, 0.5 0.3 0.2 become 25 9 4 of 38: 0.6 is reached by the first.
    float[] logits = {ln(0.3), ln(0.5), ln(0.2)};
    SamplingOptions options = PLAIN.withTemperature(0.5f);
    assertArrayEquals(new float[] {0, 1, 0}, distribution(options.withTopP(0.6f), logits));
    assertArrayEquals(
        new float[] {9 / 34f, 25 / 34f, 0}, distribution(options.withMinP(0.3f), logits), 1e-6f);
  }

  @Test
  void repetitionPenalty() {
    Sampler sampler = new Sampler(GREEDY.withRepetitionPenalty(2), 4);
    float[] logits = {4, 3, -1, -1.5f};
    assertEquals(0, sampler.sample(logits));
    sampler.accept(0);
    sampler.accept(0);
    assertEquals(1, sampler.sample(logits), "4 / 2 is below 3, once however often it occurred");
    sampler.accept(1);
    assertEquals(0, sampler.sample(logits), "4 / 2 is above 3 / 2");
    assertEquals(2, sampler.sample(new float[] {-INFINITY, -2, -1, -1.5f}));
    sampler.accept(2);
    assertEquals(3, sampler.sample(new float[] {-INFINITY, -2, -1, -1.5f}), "-1 * 2 is below -1.5");
    assertArrayEquals(new float[] {4, 3, -1, -1.5f}, logits);
  }

  @Test
  void repetitionPenaltyComesBeforeTheTemperature() {
    SamplingOptions options = PLAIN.withTemperature(0.5f).withRepetitionPenalty(4);
    Sampler sampler = new Sampler(options, 2);
    sampler.accept(0);
    float[] found = new float[2];
    sampler.distribution(new float[] {4, 1}, found);
    assertArrayEquals(new float[] {0.5f, 0.5f}, found);
  }

  @Test
  void aPenaltyBelowOneDoesNotOverflow() {
    Sampler sampler = new Sampler(GREEDY.withRepetitionPenalty(1e-30f), 3);
    sampler.accept(1);
    assertEquals(1, sampler.sample(new float[] {1, 1e30f, 2}));
  }

  @Test
  void refusesUnusableLogits() {
    for (SamplingOptions options : List.of(GREEDY, PLAIN, PLAIN.withTopK(1))) {
      Sampler sampler = new Sampler(options, 3);
      assertRefused("the logit of token 1 is NaN", sampler, 0, Float.NaN, 2);
      assertRefused("the logit of token 2 is Infinity", sampler, 0, 1, INFINITY);
      assertRefused("the logit of token 0 is Infinity", sampler, INFINITY, Float.NaN, 0);
      assertRefused("all logits are negative infinity", sampler, -INFINITY, -INFINITY, -INFINITY);
      assertThrows(IllegalArgumentException.class, () -> sampler.sample(new float[2]));
      assertThrows(
          IllegalArgumentException.class, () -> sampler.distribution(new float[3], new float[4]));
      assertEquals(1, sampler.sample(new float[] {-INFINITY, 5, -INFINITY}), "still usable");
    }
  }

  @Test
  void refusesTokensOutsideOfTheVocabulary() {
    for (float penalty : new float[] {1, 2}) {
      Sampler sampler = new Sampler(GREEDY.withRepetitionPenalty(penalty), 3);
      sampler.accept(2);
      assertThrows(IllegalArgumentException.class, () -> sampler.accept(3));
      assertThrows(IllegalArgumentException.class, () -> sampler.accept(-1));
    }
    assertThrows(IllegalArgumentException.class, () -> new Sampler(GREEDY, 0));
  }

  @Test
  void agreesWithSorting() {
    Random random = new Random(6);
    for (int round = 0; round < 3000; round++) {
      int size = 1 + random.nextInt(60);
      float[] logits = randomLogits(random, size);
      SamplingOptions options =
          new SamplingOptions(
              0.4f + 2 * random.nextFloat(),
              random.nextInt(3) == 0 ? 0 : 1 + random.nextInt(size + 5),
              random.nextInt(3) == 0 ? 1 : 0.01f + 0.98f * random.nextFloat(),
              random.nextInt(3) == 0 ? 0 : random.nextFloat() * random.nextFloat(),
              random.nextInt(3) == 0 ? 1 : 0.5f + random.nextFloat(),
              0);
      Sampler sampler = new Sampler(options, size);
      boolean[] occurred = new boolean[size];
      for (int i = random.nextInt(5); i > 0; i--) {
        int token = random.nextInt(size);
        occurred[token] = true;
        sampler.accept(token);
      }
      float[] found = new float[size];
      float[] before = logits.clone();
      sampler.distribution(logits, found);
      assertArrayEquals(before, logits);
      double[] expected = bySorting(options, logits, occurred);
      for (int token = 0; token < size; token++) {
        assertEquals(expected[token], found[token], 1e-6, options + " token " + token);
        assertEquals(expected[token] > 0, found[token] > 0, options + " token " + token);
      }
    }
  }

  @Test
  void largeVocabulariesAgreeWithSorting() {
    Random random = new Random(7);
    float[] logits = new float[65_536];
    for (int i = 0; i < logits.length; i++) {
      logits[i] = (float) random.nextGaussian() * 3;
    }
    boolean[] none = new boolean[logits.length];
    for (SamplingOptions options :
        List.of(
            PLAIN.withTopK(50),
            PLAIN.withTopK(40_000),
            PLAIN.withTopP(0.9f),
            PLAIN.withTopK(1000).withTopP(0.5f).withMinP(0.05f))) {
      float[] found = distribution(options, logits);
      double[] expected = bySorting(options, logits, none);
      for (int token = 0; token < logits.length; token++) {
        assertEquals(expected[token], found[token], 1e-8, () -> options.toString());
      }
    }
  }

  @Test
  void drawsAsOftenAsTheDistributionSays() {
    float[] logits = {1, -1, 2, 0.5f, -INFINITY, 2, 0, -3, 1.5f, 1};
    for (SamplingOptions options :
        List.of(
            PLAIN.withSeed(1),
            PLAIN.withTemperature(0.7f).withTopK(6).withSeed(2),
            PLAIN.withTopP(0.8f).withSeed(3),
            PLAIN.withMinP(0.2f).withSeed(4),
            PLAIN.withRepetitionPenalty(1.5f).withSeed(5))) {
      Sampler sampler = new Sampler(options, logits.length);
      boolean[] occurred = new boolean[logits.length];
      occurred[2] = true;
      occurred[1] = true;
      sampler.accept(1);
      sampler.accept(2);
      int draws = 50_000;
      int[] counts = new int[logits.length];
      for (int i = 0; i < draws; i++) {
        counts[sampler.sample(logits)]++;
      }
      double[] expected = bySorting(options, logits, occurred);
      double chiSquare = 0;
      int degrees = -1;
      for (int token = 0; token < logits.length; token++) {
        if (expected[token] == 0) {
          assertEquals(0, counts[token]);
        } else {
          double difference = counts[token] - draws * expected[token];
          chiSquare += difference * difference / (draws * expected[token]);
          degrees++;
        }
      }
      // Mean and variance of chi-square are its degrees of freedom and twice these.
      assertTrue(
          chiSquare < degrees + 5 * Math.sqrt(2 * degrees), options + " chi-square " + chiSquare);
    }
  }

  @Test
  void sameSeedSameTokens() {
    Random random = new Random(8);
    SamplingOptions options = PLAIN.withTopP(0.95f).withRepetitionPenalty(1.1f);
    int[] first = draw(options.withSeed(11), new Random(9), false);
    assertArrayEquals(first, draw(options.withSeed(11), new Random(9), false));
    assertArrayEquals(first, draw(options.withSeed(11), new Random(9), true));
    for (int i = 0; i < 20; i++) {
      long seed = i < 10 ? i : random.nextLong();
      assertFalse(Arrays.equals(first, draw(options.withSeed(seed), new Random(9), false)));
    }
  }

  @Test
  void neighbouringSeedsAreIndependent() {
    int equal = 0;
    float[] uniform = new float[16];
    for (int seed = 0; seed < 4000; seed++) {
      Sampler one = new Sampler(PLAIN.withSeed(seed), 16);
      Sampler other = new Sampler(PLAIN.withSeed(seed + 1), 16);
      equal += one.sample(uniform) == other.sample(uniform) ? 1 : 0;
    }
    assertEquals(250, equal, 5 * Math.sqrt(250));
  }

  /** OpenAI's: once for each occurrence in the answer, and once if there is any. */
  @Test
  void frequencyAndPresencePenaltiesCountTheAnswerAlone() {
    Sampler sampler = new Sampler(SamplingOptions.greedy().withPenalties(0.5f, 0.25f), 3);
    float[] logits = {2f, 1.9f, 1f};
    sampler.acceptPrompt(0);
    assertEquals(0, sampler.sample(logits));
    sampler.accept(0);
    // 2 - 0.75 = 1.25
    assertEquals(1, sampler.sample(logits));
    sampler.accept(1);
    // 1.9 - 0.75 = 1.15
    assertEquals(0, sampler.sample(logits));
    sampler.accept(0);
    // 2 - 1.25 = 0.75
    assertEquals(1, sampler.sample(logits));
    sampler.mark();
    sampler.accept(1);
    assertEquals(2, sampler.sample(logits));
    sampler.retract();
    assertEquals(1, sampler.sample(logits));
  }

  @Test
  void allocatesNothing() {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    float[] logits = randomLogits(new Random(10), 4096);
    float[] probabilities = new float[4096];
    Sampler sampler = new Sampler(new SamplingOptions(0.8f, 100, 0.9f, 0.01f, 1.1f, 1), 4096);
    long before = 0;
    for (int round = 0; round < 3; round++) {
      before = threads.getCurrentThreadAllocatedBytes();
      for (int i = 0; i < 100; i++) {
        sampler.accept(sampler.sample(logits));
        sampler.distribution(logits, probabilities);
      }
    }
    assertEquals(0, threads.getCurrentThreadAllocatedBytes() - before, 1024);
  }

  private static int[] draw(SamplingOptions options, Random logits, boolean interleaved) {
    Sampler sampler = new Sampler(options, 64);
    int[] tokens = new int[50];
    for (int i = 0; i < tokens.length; i++) {
      float[] step = randomLogits(logits, 64);
      if (interleaved) {
        sampler.distribution(step, new float[64]);
      }
      tokens[i] = sampler.sample(step);
      sampler.accept(tokens[i]);
    }
    return tokens;
  }

  /** Logits with ties, and now and then negative infinity. */
  private static float[] randomLogits(Random random, int size) {
    float[] logits = new float[size];
    for (int i = 0; i < size; i++) {
      logits[i] =
          switch (random.nextInt(8)) {
            case 0 -> random.nextInt(3);
            case 1 -> -random.nextInt(3);
            case 2 -> i > 0 ? -INFINITY : 0;
            default -> (float) random.nextGaussian() * 2;
          };
    }
    return logits;
  }

  /** The distribution by the book: sort, cut, normalize after every step. */
  private static double[] bySorting(SamplingOptions options, float[] logits, boolean[] occurred) {
    double[] scores = new double[logits.length];
    for (int i = 0; i < scores.length; i++) {
      float penalty = occurred[i] ? options.repetitionPenalty() : 1;
      scores[i] = logits[i] < 0 ? logits[i] * penalty : logits[i] / penalty;
    }
    List<Integer> order =
        IntStream.range(0, scores.length)
            .boxed()
            .sorted(Comparator.<Integer>comparingDouble(i -> -scores[i]).thenComparing(i -> i))
            .toList();
    double[] probabilities = new double[scores.length];
    for (int i = 0; i < scores.length; i++) {
      probabilities[i] = Math.exp((scores[i] - scores[order.getFirst()]) / options.temperature());
    }
    if (options.topK() > 0 && options.topK() < order.size()) {
      drop(probabilities, order, options.topK());
    }
    normalize(probabilities);
    if (options.topP() < 1) {
      double sum = 0;
      int kept = 0;
      while (kept < order.size() && sum < options.topP()) {
        sum += probabilities[order.get(kept++)];
      }
      drop(probabilities, order, kept);
      normalize(probabilities);
    }
    double lightest = options.minP() * probabilities[order.getFirst()];
    for (int i = 0; i < probabilities.length; i++) {
      probabilities[i] = probabilities[i] < lightest ? 0 : probabilities[i];
    }
    normalize(probabilities);
    return probabilities;
  }

  private static void drop(double[] probabilities, List<Integer> order, int from) {
    for (int token : order.subList(from, order.size())) {
      probabilities[token] = 0;
    }
  }

  private static void normalize(double[] probabilities) {
    double sum = Arrays.stream(probabilities).sum();
    Arrays.setAll(probabilities, i -> probabilities[i] / sum);
  }

  private static float[] distribution(SamplingOptions options, float[] logits) {
    float[] probabilities = new float[logits.length];
    Arrays.fill(probabilities, Float.NaN);
    new Sampler(options, logits.length).distribution(logits, probabilities);
    return probabilities;
  }

  private static void assertRefused(String message, Sampler sampler, float... logits) {
    assertEquals(
        message, assertThrows(InferenceException.class, () -> sampler.sample(logits)).getMessage());
    assertEquals(
        message,
        assertThrows(
                InferenceException.class,
                () -> sampler.distribution(logits, new float[logits.length]))
            .getMessage());
  }

  private static float ln(double value) {
    return (float) Math.log(value);
  }
}
