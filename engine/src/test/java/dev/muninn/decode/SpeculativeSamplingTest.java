package dev.muninn.decode;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.cache.KeyValueLayout;
import dev.muninn.cache.SlotPolicy;
import java.util.Arrays;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * Speculation samples from the distribution of plain decoding, whatever the drafts are worth. The
 * frequencies of many short generations are compared with probabilities that are computed, not
 * sampled. Seeds are fixed; still, the bounds are those that right code keeps for nearly any.
 */
class SpeculativeSamplingTest {
  private static final int[] PROMPT = {40};
  private static final int RECURRENCE = 4;
  private static final int DRAFT = 1;
  private static DecodingModel model;

  @BeforeAll
  static void open() {
    model = new DecodingModel(DecodingModel.UNTIED);
  }

  @AfterAll
  static void close() {
    model.close();
  }

  /** The distribution of the token behind some, at a number of recurrences. */
  private static float[] distribution(SamplingOptions sampling, int recurrence, int... tokens) {
    KeyValueLayout layout =
        new KeyValueLayout(model.config, SlotPolicy.full(), recurrence, tokens.length);
    float[] probabilities = new float[model.config.vocabularySize()];
    try (SequenceForward forward =
        new SequenceForward(
            model.plain, layout, recurrence, tokens.length, InitialState.random(11), () -> false)) {
      forward.append(tokens);
      Sampler sampler = new Sampler(sampling, probabilities.length);
      for (int token : tokens) {
        sampler.accept(token);
      }
      sampler.distribution(forward.logits(), probabilities);
    }
    return probabilities;
  }

  private static int[] behindPrompt(int... tokens) {
    int[] all = Arrays.copyOf(PROMPT, PROMPT.length + tokens.length);
    System.arraycopy(tokens, 0, all, PROMPT.length, tokens.length);
    return all;
  }

  private static SequenceRun generate(
      SamplingOptions sampling, int lookahead, int count, int seed) {
    return model.run(
        SequenceRequest.of(PROMPT)
            .recurrence(RECURRENCE)
            .count(count)
            .sampling(sampling.withSeed(seed))
            .strategy(new Strategy.Speculative(DRAFT, lookahead)));
  }

  /**
   * Pearson's statistic of counts against probabilities, cells of small expectation taken together,
   * must be less than its mean, the degrees of freedom, plus five standard deviations.
   */
  private static void assertDistributed(int[] counts, double[] probabilities, String what) {
    int total = Arrays.stream(counts).sum();
    double statistic = 0;
    int cells = 0;
    double restExpected = 0;
    int rest = 0;
    for (int i = 0; i < counts.length; i++) {
      double expected = total * probabilities[i];
      if (expected < 8) {
        restExpected += expected;
        rest += counts[i];
      } else {
        statistic += (counts[i] - expected) * (counts[i] - expected) / expected;
        cells++;
      }
      assertTrue(probabilities[i] > 0 || counts[i] == 0, what + ": an impossible token");
    }
    if (restExpected >= 8) {
      statistic += (rest - restExpected) * (rest - restExpected) / restExpected;
      cells++;
    }
    int freedom = cells - 1;
    assertTrue(freedom >= 8, what + ": only " + cells + " cells");
    double bound = freedom + 5 * Math.sqrt(2.0 * freedom);
    assertTrue(
        statistic < bound, what + ": " + statistic + " of " + freedom + ", at most " + bound);
  }

  /** Half of the sum of differences: 0 for the same, 1 for disjoint distributions. */
  private static double distance(float[] p, float[] q) {
    double sum = 0;
    for (int i = 0; i < p.length; i++) {
      sum += Math.abs(p[i] - q[i]);
    }
    return sum / 2;
  }

  /**
   * Few tokens stay possible, so that the three first tokens can be counted together: the second is
   * a first draft, the third a second one, or a first one behind a rejection.
   */
  @Test
  void threeTokensTogether() {
    SamplingOptions sampling =
        SamplingOptions.greedy().withTemperature(1.5f).withTopK(4).withRepetitionPenalty(1.2f);
    float[] first = distribution(sampling, RECURRENCE, PROMPT);
    int[] possible = new int[4];
    int size = model.config.vocabularySize();
    // Each of the three tokens is one of the vocabulary; four by four by four have a probability.
    double[] probabilities = new double[size * 16];
    int[] numbers = new int[size * size];
    Arrays.fill(numbers, -1);
    int found = 0;
    int pairs = 0;
    double apart = 0;
    for (int a = 0; a < size; a++) {
      if (first[a] == 0) {
        continue;
      }
      possible[found++] = a;
      float[] second = distribution(sampling, RECURRENCE, behindPrompt(a));
      apart += first[a] * distance(second, distribution(sampling, DRAFT, behindPrompt(a)));
      for (int b = 0; b < size; b++) {
        if (second[b] == 0) {
          continue;
        }
        numbers[a * size + b] = pairs;
        float[] third = distribution(sampling, RECURRENCE, behindPrompt(a, b));
        for (int c = 0; c < size; c++) {
          probabilities[pairs * size + c] = (double) first[a] * second[b] * third[c];
        }
        pairs++;
      }
    }
    assertTrue(found == 4 && pairs == 16, found + " first tokens, " + pairs + " pairs");
    // Were drafts nearly right, the test would show nothing.
    assertTrue(apart > 0.2 && apart < 0.95, "drafts are " + apart + " apart");
    int[] counts = new int[probabilities.length];
    for (int seed = 0; seed < 2000; seed++) {
      int[] tokens = generate(sampling, 2, 3, seed).tokens();
      int pair = numbers[tokens[0] * size + tokens[1]];
      assertTrue(pair >= 0, "an impossible second token");
      counts[pair * size + tokens[2]]++;
    }
    assertDistributed(counts, probabilities, "three tokens");
  }

  /** All tokens are possible: the second one's frequencies, over all first ones. */
  @Test
  void theWholeVocabulary() {
    SamplingOptions sampling = SamplingOptions.greedy().withTemperature(1);
    float[] first = distribution(sampling, RECURRENCE, PROMPT);
    double[] expected = new double[first.length];
    double apart = 0;
    for (int a = 0; a < first.length; a++) {
      float[] second = distribution(sampling, RECURRENCE, behindPrompt(a));
      apart += first[a] * distance(second, distribution(sampling, DRAFT, behindPrompt(a)));
      for (int b = 0; b < second.length; b++) {
        expected[b] += (double) first[a] * second[b];
      }
    }
    assertTrue(apart > 0.2, "drafts are " + apart + " apart");
    int[] firsts = new int[first.length];
    int[] seconds = new int[first.length];
    long drafted = 0;
    long accepted = 0;
    for (int seed = 0; seed < 2000; seed++) {
      SequenceRun run = generate(sampling, 1, 2, seed);
      firsts[run.tokens()[0]]++;
      seconds[run.tokens()[1]]++;
      drafted += run.statistics().draftedTokens();
      accepted += run.statistics().acceptedTokens();
    }
    double[] exact = new double[first.length];
    for (int a = 0; a < first.length; a++) {
      exact[a] = first[a];
    }
    assertDistributed(firsts, exact, "first token");
    assertDistributed(seconds, expected, "second token");
    // A draft is accepted with probability 1 - distance: within five standard errors.
    double share = (double) accepted / drafted;
    assertTrue(
        Math.abs(share - (1 - apart)) < 5 * Math.sqrt(apart * (1 - apart) / drafted),
        share + " accepted, drafts are " + apart + " apart");
  }

  /** Where p - q rounds to nothing everywhere, what is drawn comes from p, and not token 0. */
  @Test
  void aResidualThatRoundsToNothingIsTheTarget() {
    float[] p = {0, 0.25f, Math.nextDown(0.75f), 0};
    float[] target = p.clone();
    SpeculativeDecoder.leaveResidual(p, new float[] {0, 0.25f, 0.75f, 0});
    assertArrayEquals(target, p);
    float[] q = {0.5f, 0.25f, 0.25f, 0};
    float[] residual = {0.25f, 0, 0.5f, 0.25f};
    SpeculativeDecoder.leaveResidual(residual, q);
    assertArrayEquals(new float[] {0, 0, 0.25f, 0.25f}, residual);
  }
}
