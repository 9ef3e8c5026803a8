package dev.muninn.trace;

/**
 * The model's readout if it stopped thinking: the coda applied to s_i, of every position and
 * recurrence. That is the next-token distribution of a run with r = i.
 */
public final class Readouts {
  private static final int MOST_VALUES = 1 << 28;

  private final int positions;
  private final int recurrence;
  private final int topTokens;
  private final int[] tokens;
  private final float[] probabilities;
  private final double[] entropies;
  private final double[] divergences;

  Readouts(int positions, int recurrence, int topTokens) {
    long values = (long) positions * recurrence * topTokens;
    if (values > MOST_VALUES) {
      throw new IllegalArgumentException(
          positions
              + " positions, "
              + recurrence
              + " recurrences and "
              + topTokens
              + " top tokens are more than a trace can hold: their product must be at most 2^28");
    }
    this.positions = positions;
    this.recurrence = recurrence;
    this.topTokens = topTokens;
    this.tokens = new int[(int) values];
    this.probabilities = new float[(int) values];
    this.entropies = new double[positions * recurrence];
    this.divergences = new double[positions * recurrence];
  }

  /** Notes a distribution. */
  void set(
      int position, int recurrence, float[] logProbabilities, int vocabulary, double divergence) {
    int cell = cell(position, recurrence);
    int from = cell * topTokens;
    Distribution.greatest(logProbabilities, 0, vocabulary, tokens, from, topTokens);
    for (int i = from; i < from + topTokens; i++) {
      probabilities[i] = (float) Math.exp(logProbabilities[tokens[i]]);
    }
    entropies[cell] = Distribution.entropy(logProbabilities, 0, vocabulary);
    divergences[cell] = divergence;
  }

  private int cell(int position, int recurrence) {
    if (position < 0 || position >= positions || recurrence < 1 || recurrence > this.recurrence) {
      throw new IndexOutOfBoundsException(
          "position " + position + ", recurrence " + recurrence + " of a trace");
    }
    return position * this.recurrence + recurrence - 1;
  }

  /** The number of likeliest tokens to keep. */
  public int topTokens() {
    return topTokens;
  }

  /**
   * One of the likeliest next tokens.
   *
   * @param recurrence from 1
   * @param rank from 0, the likeliest
   */
  public int token(int position, int recurrence, int rank) {
    return tokens[cell(position, recurrence) * topTokens + rank];
  }

  /** Its probability. */
  public double probability(int position, int recurrence, int rank) {
    return probabilities[cell(position, recurrence) * topTokens + rank];
  }

  /** Entropy of the next-token distribution, in nats. */
  public double entropy(int position, int recurrence) {
    return entropies[cell(position, recurrence)];
  }

  /**
   * KL(distribution at recurrence - 1 || distribution at recurrence), in nats; not a number at
   * recurrence 1.
   */
  public double divergence(int position, int recurrence) {
    return divergences[cell(position, recurrence)];
  }
}
