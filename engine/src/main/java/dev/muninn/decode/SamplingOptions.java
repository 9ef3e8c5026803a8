package dev.muninn.decode;

/**
 * How a token is chosen from logits. The steps are those of transformers, in its order: repetition
 * penalty, temperature, top-k, top-p, min-p. The frequency and presence penalties are OpenAI's, and
 * come behind the repetition penalty.
 *
 * @param temperature divisor of the logits, finite, at least 0; at 0 the highest logit wins and
 *     top-k, top-p, min-p and seed play no part
 * @param topK how many of the most probable tokens stay, at least 1, or 0 for all
 * @param topP the most probable tokens stay whose probabilities first reach this sum, above 0, at
 *     most 1; 1 keeps all
 * @param minP tokens stay whose probability is at least this share of the highest one, from 0 to 1;
 *     0 keeps all
 * @param repetitionPenalty what the logits of tokens that occurred are divided by where they are
 *     positive and multiplied with where they are negative; finite, above 0; 1 changes nothing
 * @param frequencyPenalty what a logit loses for each time that the answer has its token, finite; 0
 *     changes nothing
 * @param presencePenalty what a logit loses if the answer has its token, finite; 0 changes nothing
 * @param seed seed of the random numbers: the same seed gives the same tokens
 */
public record SamplingOptions(
    float temperature,
    int topK,
    float topP,
    float minP,
    float repetitionPenalty,
    float frequencyPenalty,
    float presencePenalty,
    long seed) {

  private static final SamplingOptions GREEDY = new SamplingOptions(0, 0, 1, 0, 1, 0);

  public SamplingOptions {
    if (!(temperature >= 0) || Float.isInfinite(temperature)) {
      throw refusal("temperature", "a finite number of at least 0", temperature);
    }
    if (topK < 0) {
      throw new IllegalArgumentException("top-k must be at least 0, not " + topK);
    }
    if (!(topP > 0 && topP <= 1)) {
      throw refusal("top-p", "a number above 0 and at most 1", topP);
    }
    if (!(minP >= 0 && minP <= 1)) {
      throw refusal("min-p", "a number from 0 to 1", minP);
    }
    if (!(repetitionPenalty > 0) || Float.isInfinite(repetitionPenalty)) {
      throw refusal("repetition penalty", "a finite number above 0", repetitionPenalty);
    }
    if (!Float.isFinite(frequencyPenalty)) {
      throw refusal("frequency penalty", "a finite number", frequencyPenalty);
    }
    if (!Float.isFinite(presencePenalty)) {
      throw refusal("presence penalty", "a finite number", presencePenalty);
    }
  }

  /** Without frequency and presence penalties. */
  public SamplingOptions(
      float temperature, int topK, float topP, float minP, float repetitionPenalty, long seed) {
    this(temperature, topK, topP, minP, repetitionPenalty, 0, 0, seed);
  }

  /** The most probable token always: temperature 0, no filter, no penalty, seed 0. */
  public static SamplingOptions greedy() {
    return GREEDY;
  }

  /** These options at another temperature. */
  public SamplingOptions withTemperature(float temperature) {
    return new SamplingOptions(
        temperature, topK, topP, minP, repetitionPenalty, frequencyPenalty, presencePenalty, seed);
  }

  /** These options with another top-k. */
  public SamplingOptions withTopK(int topK) {
    return new SamplingOptions(
        temperature, topK, topP, minP, repetitionPenalty, frequencyPenalty, presencePenalty, seed);
  }

  /** These options with another top-p. */
  public SamplingOptions withTopP(float topP) {
    return new SamplingOptions(
        temperature, topK, topP, minP, repetitionPenalty, frequencyPenalty, presencePenalty, seed);
  }

  /** These options with another min-p. */
  public SamplingOptions withMinP(float minP) {
    return new SamplingOptions(
        temperature, topK, topP, minP, repetitionPenalty, frequencyPenalty, presencePenalty, seed);
  }

  /** These options with another repetition penalty. */
  public SamplingOptions withRepetitionPenalty(float repetitionPenalty) {
    return new SamplingOptions(
        temperature, topK, topP, minP, repetitionPenalty, frequencyPenalty, presencePenalty, seed);
  }

  /** These options with other frequency and presence penalties. */
  public SamplingOptions withPenalties(float frequencyPenalty, float presencePenalty) {
    return new SamplingOptions(
        temperature, topK, topP, minP, repetitionPenalty, frequencyPenalty, presencePenalty, seed);
  }

  /** These options with another seed. */
  public SamplingOptions withSeed(long seed) {
    return new SamplingOptions(
        temperature, topK, topP, minP, repetitionPenalty, frequencyPenalty, presencePenalty, seed);
  }

  /**
   * These options with a seed of its own for one of many texts. It depends on this seed and the
   * name alone, so that a text is the same whatever is computed before it or beside it.
   *
   * @param name of the text; null for this seed itself
   */
  public SamplingOptions forText(String name) {
    if (name == null) {
      return this;
    }
    SplitMix random = new SplitMix();
    long mixed = seed;
    for (int i = 0; i < name.length(); i++) {
      random.seed(mixed, name.charAt(i));
      mixed = random.next();
    }
    return withSeed(mixed);
  }

  private static IllegalArgumentException refusal(String what, String expected, float found) {
    return new IllegalArgumentException(what + " must be " + expected + ", not " + found);
  }
}
