package dev.muninn.tornado.kernel;

import dev.muninn.backend.LatentComparison;
import dev.muninn.backend.LogitComparison;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.math.TornadoMath;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/** What tells a state from the one that was kept of the same slot, and logits from earlier ones. */
public final class CompareKernels {
  /** Numbers of a row to compare: the row of the logits, the place, flags. */
  public static final int COMPARED = 3;

  /** Nothing was kept: the distribution before is uniform. */
  public static final int UNIFORM = 1;

  /** Tokens below a tenth of the likeliest count as {@code 1 / vocabulary} each. */
  public static final int LIKELY_ONLY = 2;

  /** Values that are summed by themselves, so that sums of many are as exact as of few. */
  private static final int BLOCK = 64;

  /** The logarithm of a tenth. */
  private static final float TENTH = -2.3025851f;

  private CompareKernels() {}

  /**
   * Compares the states of row slots with those that were kept, and keeps them in their place. A
   * workgroup has a slot.
   *
   * @param slots their number, then the slots
   * @param latents s of every row slot, [slots, width]
   * @param kept the states that were kept, [slots, width]
   * @param gate weight of the model's exit gate, or zeros, [width]
   * @param sums of {@link LatentComparison}, for each slot in the order of {@code slots}
   */
  public static void compareStates(
      KernelContext context,
      IntArray slots,
      FloatArray latents,
      FloatArray kept,
      FloatArray gate,
      FloatArray sums,
      int width,
      int lanes) {
    int item = context.globalIdx / lanes;
    int lane = context.globalIdx % lanes;
    if (item < slots.get(0)) {
      int from = slots.get(1 + item) * width;
      float change = 0;
      float growth = 0;
      float square = 0;
      float gated = 0;
      for (int i = lane; i < width; i += lanes) {
        float state = latents.get(from + i);
        float before = kept.get(from + i);
        float difference = state - before;
        change += difference * difference;
        growth += difference * (state + before);
        square += state * state;
        gated += state * gate.get(i);
        kept.set(from + i, state);
      }
      change = Lanes.sum(context, change, lane, lanes);
      growth = Lanes.sum(context, growth, lane, lanes);
      square = Lanes.sum(context, square, lane, lanes);
      gated = Lanes.sum(context, gated, lane, lanes);
      if (lane == 0) {
        int to = item * LatentComparison.SUMS;
        sums.set(to + LatentComparison.CHANGE, change);
        sums.set(to + LatentComparison.GROWTH, growth);
        sums.set(to + LatentComparison.SQUARE, square);
        sums.set(to + LatentComparison.GATE, gated);
      }
    }
  }

  /**
   * Compares rows of logits with the distributions that are kept, and keeps them in their place. A
   * workgroup has a row.
   *
   * @param compared the number of rows, then {@link #COMPARED} numbers for each
   * @param logits [rows, vocabulary]
   * @param kept logarithms of probabilities, [places, vocabulary]
   * @param sums of {@link LogitComparison}, [rows, {@link LogitComparison#SUMS}]
   */
  public static void compareLogits(
      KernelContext context,
      IntArray compared,
      FloatArray logits,
      FloatArray kept,
      FloatArray sums,
      int vocabulary,
      int lanes) {
    int item = context.globalIdx / lanes;
    int lane = context.globalIdx % lanes;
    if (item < compared.get(0)) {
      int row = compared.get(1 + item * COMPARED);
      int from = row * vocabulary;
      int place = compared.get(2 + item * COMPARED) * vocabulary;
      int flags = compared.get(3 + item * COMPARED);
      float most = greatest(logits, from, vocabulary, lane, lanes);
      most = Lanes.greatest(context, most, lane, lanes);
      float token = first(logits, from, vocabulary, most, lane, lanes);
      token = -Lanes.greatest(context, -token, lane, lanes);
      float least = AttentionKernels.LEAST;
      float rest = 0;
      float powers = powers(logits, from, vocabulary, most, least, rest, lane, lanes);
      float logSum = TornadoMath.log(Lanes.sum(context, powers, lane, lanes));
      float entropy = entropy(logits, from, vocabulary, most, logSum, lane, lanes);
      entropy = Lanes.sum(context, entropy, lane, lanes);
      float uniform = -TornadoMath.log(vocabulary);
      // Of all, or of likely tokens: logarithms relative to the greatest, and of their sum.
      float logRest = 0;
      if ((flags & LIKELY_ONLY) != 0) {
        least = TENTH;
        logRest = uniform + logSum;
        rest = TornadoMath.exp(logRest);
        powers = powers(logits, from, vocabulary, most, least, rest, lane, lanes);
        logSum = TornadoMath.log(Lanes.sum(context, powers, lane, lanes));
      }
      float divergence = 0;
      for (int block = lane; block < vocabulary; block += BLOCK * lanes) {
        int end = block + BLOCK * lanes < vocabulary ? block + BLOCK * lanes : vocabulary;
        float sum = 0;
        for (int i = block; i < end; i += lanes) {
          float relative = logits.get(from + i) - most;
          float now = (relative < least ? logRest : relative) - logSum;
          float before = uniform;
          if ((flags & UNIFORM) == 0) {
            before = kept.get(place + i);
          }
          kept.set(place + i, now);
          sum += surprise(before, now);
        }
        divergence += sum;
      }
      divergence = Lanes.sum(context, divergence, lane, lanes);
      if (lane == 0) {
        int to = row * LogitComparison.SUMS;
        sums.set(to + LogitComparison.LIKELIEST, token);
        sums.set(to + LogitComparison.ENTROPY, entropy);
        sums.set(to + LogitComparison.DIVERGENCE, divergence);
      }
    }
  }

  /**
   * What a token adds to KL(q || p). With {@code x = log q - log p} that is {@code q x}, or {@code
   * q (x + exp(-x) - 1)}, since all q and all p add up to the same: of these all terms are
   * positive, and what rounding leaves of the sums of q and p counts by its square alone.
   */
  private static float surprise(float logBefore, float logNow) {
    float before = TornadoMath.exp(logBefore);
    float x = logBefore - logNow;
    float result = before * (x - 1) + TornadoMath.exp(logNow);
    if (TornadoMath.abs(x) < 0.125f) {
      result = before * x * x * (0.5f - x * (0.16666667f - x * (0.041666668f - x * 0.008333334f)));
    }
    return result;
  }

  private static float greatest(FloatArray logits, int from, int vocabulary, int lane, int lanes) {
    float most = AttentionKernels.LEAST;
    for (int i = lane; i < vocabulary; i += lanes) {
      most = TornadoMath.max(most, logits.get(from + i));
    }
    return most;
  }

  /** The first token of a lane with these logits; the vocabulary's size if it has none. */
  private static float first(
      FloatArray logits, int from, int vocabulary, float logit, int lane, int lanes) {
    int token = vocabulary;
    for (int i = lane; i < vocabulary; i += lanes) {
      if (logits.get(from + i) == logit && i < token) {
        token = i;
      }
    }
    return token;
  }

  /** The sum over a lane's tokens of powers relative to the greatest; those below count as rest. */
  private static float powers(
      FloatArray logits,
      int from,
      int vocabulary,
      float most,
      float least,
      float rest,
      int lane,
      int lanes) {
    float total = 0;
    for (int block = lane; block < vocabulary; block += BLOCK * lanes) {
      int end = block + BLOCK * lanes < vocabulary ? block + BLOCK * lanes : vocabulary;
      float sum = 0;
      for (int i = block; i < end; i += lanes) {
        float relative = logits.get(from + i) - most;
        sum += relative < least ? rest : TornadoMath.exp(relative);
      }
      total += sum;
    }
    return total;
  }

  private static float entropy(
      FloatArray logits, int from, int vocabulary, float most, float logSum, int lane, int lanes) {
    float total = 0;
    for (int block = lane; block < vocabulary; block += BLOCK * lanes) {
      int end = block + BLOCK * lanes < vocabulary ? block + BLOCK * lanes : vocabulary;
      float sum = 0;
      for (int i = block; i < end; i += lanes) {
        float probability = TornadoMath.exp(logits.get(from + i) - most - logSum);
        sum -= probability * TornadoMath.log(probability + 1e-10f);
      }
      total += sum;
    }
    return total;
  }
}
