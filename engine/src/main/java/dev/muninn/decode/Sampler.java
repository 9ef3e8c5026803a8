package dev.muninn.decode;

import dev.muninn.backend.InferenceException;
import java.util.Arrays;

/**
 * Chooses tokens from logits for one sequence.
 *
 * <p>The order of the steps is that of transformers: repetition penalty, temperature, top-k, top-p,
 * min-p. Behind the repetition penalty come OpenAI's frequency and presence penalties. Where tokens
 * of the same logit compete, the lowest id goes first: exactly k tokens pass top-k, while
 * transformers lets all pass that are level with the k-th.
 *
 * <p>Logits are never changed. Nothing is allocated after construction but what {@link #mark}
 * needs. Not thread-safe.
 */
public final class Sampler {
  /** Bits of a score's order that one round of the selection looks at, from the highest on. */
  private static final int DIGIT_BITS = 11;

  private static final int DIGIT_MASK = (1 << DIGIT_BITS) - 1;

  private final SamplingOptions options;
  private final boolean answerPenalized;

  /** The logits after the repetition penalty, by token. */
  private final float[] scores;

  /** The tokens that passed the filters so far, in ascending order. */
  private final int[] candidates;

  /** The probability of each candidate, times a common factor that makes the highest one 1. */
  private final float[] weights;

  private final double[] masses = new double[1 << DIGIT_BITS];

  /** The tokens that occurred, each once, in the order in which they first did. */
  private final int[] occurred;

  private final int[] occurrences;
  private int occurredCount;

  /** How often a token of the answer occurred. */
  private final int[] inAnswer;

  /** The answer's tokens since the last mark, if there was one and any are penalized. */
  private int[] marked;

  private int markedLength;

  private final SplitMix random = new SplitMix();

  /**
   * Creates a sampler to which no token has occurred yet.
   *
   * @param options how to choose
   * @param vocabularySize number of logits, at least 1
   */
  public Sampler(SamplingOptions options, int vocabularySize) {
    if (vocabularySize < 1) {
      throw new IllegalArgumentException(
          "vocabulary size must be at least 1, not " + vocabularySize);
    }
    this.options = options;
    this.answerPenalized = options.frequencyPenalty() != 0 || options.presencePenalty() != 0;
    boolean penalizing = options.repetitionPenalty() != 1 || answerPenalized;
    this.scores = new float[vocabularySize];
    this.candidates = new int[vocabularySize];
    this.weights = new float[vocabularySize];
    this.occurred = new int[penalizing ? vocabularySize : 0];
    this.occurrences = new int[occurred.length];
    this.inAnswer = new int[answerPenalized ? vocabularySize : 0];
    // Seeds that users choose lie close together; unmixed, their sequences would overlap.
    this.random.seed(options.seed());
  }

  /**
   * Records a token of the prompt, for the repetition penalty. A token counts once there, however
   * often it occurs.
   *
   * @throws IllegalArgumentException if the token is outside of the vocabulary
   */
  public void acceptPrompt(int token) {
    if (token < 0 || token >= scores.length) {
      throw new IllegalArgumentException(
          "token " + token + " is outside of the vocabulary of " + scores.length);
    }
    if (occurrences.length > 0 && occurrences[token]++ == 0) {
      occurred[occurredCount++] = token;
    }
  }

  /**
   * Records a token of the answer, for all penalties.
   *
   * @throws IllegalArgumentException if the token is outside of the vocabulary
   */
  public void accept(int token) {
    acceptPrompt(token);
    if (answerPenalized) {
      inAnswer[token]++;
    }
    if (marked != null) {
      if (markedLength == marked.length) {
        marked = Arrays.copyOf(marked, 2 * markedLength);
      }
      marked[markedLength++] = token;
    }
  }

  /**
   * Chooses the next token. Does not {@link #accept} it.
   *
   * @param logits one per token; negative infinity excludes a token
   * @throws InferenceException if a logit is NaN or positive infinity, or if all are negative
   *     infinity
   */
  public int sample(float[] logits) {
    int best = penalize(logits);
    if (options.temperature() == 0) {
      return best;
    }
    int count = filter(scores[best]);
    double point = random.uniform() * total(count);
    double sum = 0;
    for (int i = 0; i < count - 1; i++) {
      sum += weights[i];
      if (point < sum) {
        return candidates[i];
      }
    }
    return candidates[count - 1];
  }

  /**
   * The probabilities with which {@link #sample} chooses among all tokens, after all filters. Draws
   * no random number: the tokens chosen later are the same without it.
   *
   * @param logits one per token; negative infinity excludes a token
   * @param probabilities receives one per token; they sum to 1
   * @throws InferenceException if a logit is NaN or positive infinity, or if all are negative
   *     infinity
   */
  public void distribution(float[] logits, float[] probabilities) {
    requireLength("probabilities", probabilities);
    int best = penalize(logits);
    Arrays.fill(probabilities, 0);
    if (options.temperature() == 0) {
      probabilities[best] = 1;
      return;
    }
    int count = filter(scores[best]);
    double total = total(count);
    for (int i = 0; i < count; i++) {
      probabilities[candidates[i]] = (float) (weights[i] / total);
    }
  }

  /** Fills the scores. Returns the token of the highest one, the first of those level with it. */
  private int penalize(float[] logits) {
    requireLength("logits", logits);
    float highest = highest(logits);
    if (!(highest < Float.POSITIVE_INFINITY)) {
      throw unusable(logits);
    }
    System.arraycopy(logits, 0, scores, 0, scores.length);
    if (occurredCount > 0) {
      penalizeOccurred();
      highest = highest(scores);
    }
    if (highest == Float.NEGATIVE_INFINITY) {
      throw new InferenceException("all logits are negative infinity");
    }
    int best = 0;
    while (scores[best] != highest) {
      best++;
    }
    return best;
  }

  private void penalizeOccurred() {
    float penalty = options.repetitionPenalty();
    for (int i = 0; i < occurredCount; i++) {
      float logit = scores[occurred[i]];
      float penalized = logit < 0 ? logit * penalty : logit / penalty;
      if (answerPenalized && inAnswer[occurred[i]] > 0) {
        penalized -= options.frequencyPenalty() * inAnswer[occurred[i]] + options.presencePenalty();
      }
      // A penalty far below 1 must not make an infinite score of a finite logit.
      scores[occurred[i]] = Math.min(penalized, Float.MAX_VALUE);
    }
  }

  /** The highest value, or NaN if there is a NaN. */
  private static float highest(float[] values) {
    float highest = Float.NEGATIVE_INFINITY;
    for (float value : values) {
      highest = Math.max(highest, value);
    }
    return highest;
  }

  private static InferenceException unusable(float[] logits) {
    int token = 0;
    while (logits[token] < Float.POSITIVE_INFINITY) {
      token++;
    }
    return new InferenceException("the logit of token " + token + " is " + logits[token]);
  }

  /** Fills candidates and weights with the tokens that pass. Returns their number, at least 1. */
  private int filter(float highest) {
    int count = 0;
    for (int token = 0; token < scores.length; token++) {
      if (scores[token] > Float.NEGATIVE_INFINITY) {
        candidates[count++] = token;
      }
    }
    if (options.topK() > 0 && options.topK() < count) {
      Arrays.fill(weights, 0, count, 1);
      count = keepHeaviest(count, options.topK());
    }
    count = weigh(count, highest);
    if (options.topP() < 1) {
      count = keepHeaviest(count, options.topP() * total(count));
    }
    return options.minP() > 0 ? keepFrom(options.minP(), count) : count;
  }

  /** Weighs the candidates by their scores; those too light for a float go. */
  private int weigh(int count, float highest) {
    double temperature = options.temperature();
    int kept = 0;
    for (int i = 0; i < count; i++) {
      int token = candidates[i];
      float weight = (float) Math.exp(((double) scores[token] - highest) / temperature);
      if (weight > 0) {
        candidates[kept] = token;
        weights[kept++] = weight;
      }
    }
    return kept;
  }

  private int keepFrom(float lightest, int count) {
    int kept = 0;
    for (int i = 0; i < count; i++) {
      if (weights[i] >= lightest) {
        candidates[kept] = candidates[i];
        weights[kept++] = weights[i];
      }
    }
    return kept;
  }

  /**
   * Keeps the candidates of the highest scores whose weights first reach a sum, without sorting
   * them: finds the lowest score that stays digit by digit, from the weight that lies on each value
   * of the digit. Every round is linear, whatever the scores are.
   */
  private int keepHeaviest(int count, double target) {
    int lowest = 0;
    int known = 0;
    double above = 0;
    for (int shift = Integer.SIZE - DIGIT_BITS;
        known != -1;
        shift = Math.max(0, shift - DIGIT_BITS)) {
      Arrays.fill(masses, 0);
      for (int i = 0; i < count; i++) {
        int order = order(scores[candidates[i]]);
        if ((order & known) == lowest) {
          masses[order >>> shift & DIGIT_MASK] += weights[i];
        }
      }
      int digit = DIGIT_MASK;
      while (digit > 0 && above + masses[digit] < target) {
        above += masses[digit--];
      }
      lowest |= digit << shift;
      known |= DIGIT_MASK << shift;
    }
    int kept = 0;
    for (int i = 0; i < count; i++) {
      int comparison = Integer.compareUnsigned(order(scores[candidates[i]]), lowest);
      if (comparison > 0 || comparison == 0 && above < target) {
        above += comparison == 0 ? weights[i] : 0;
        candidates[kept] = candidates[i];
        weights[kept++] = weights[i];
      }
    }
    return kept;
  }

  /** Unsigned integers in the order of the floats; both zeros are one. */
  private static int order(float score) {
    int bits = Float.floatToRawIntBits(score + 0f);
    return bits ^ (bits >> 31 | Integer.MIN_VALUE);
  }

  private double total(int count) {
    double total = 0;
    for (int i = 0; i < count; i++) {
      total += weights[i];
    }
    return total;
  }

  /** Sets the state to which {@link #retract} returns. */
  void mark() {
    if (occurrences.length > 0 && marked == null) {
      marked = new int[64];
    }
    markedLength = 0;
  }

  /** Forgets the tokens that were accepted since the mark. */
  void retract() {
    while (markedLength > 0) {
      int token = marked[--markedLength];
      if (answerPenalized) {
        inAnswer[token]--;
      }
      if (--occurrences[token] == 0) {
        occurredCount--;
      }
    }
  }

  /**
   * Draws a token from probabilities.
   *
   * @param probabilities one per token; need not sum to 1, but to more than 0
   */
  int draw(float[] probabilities) {
    double sum = 0;
    for (float probability : probabilities) {
      sum += probability;
    }
    double point = random.uniform() * sum;
    int last = 0;
    double passed = 0;
    for (int token = 0; token < probabilities.length; token++) {
      if (probabilities[token] > 0) {
        last = token;
        passed += probabilities[token];
        if (point < passed) {
          break;
        }
      }
    }
    return last;
  }

  /** A random number from 0 up to but without 1. */
  double uniform() {
    return random.uniform();
  }

  private void requireLength(String what, float[] values) {
    if (values.length != scores.length) {
      throw new IllegalArgumentException(
          values.length + " " + what + ", expected one for each of " + scores.length + " tokens");
    }
  }
}
