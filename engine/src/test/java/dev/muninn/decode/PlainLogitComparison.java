package dev.muninn.decode;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.backend.LatentRows;
import dev.muninn.backend.LogitComparison;
import dev.muninn.backend.RowBatch;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.Map;

/** A device's comparison of logits, in plain loops over what another backend has computed. */
final class PlainLogitComparison implements LogitComparison {
  private static final double SHARE = 0.1;

  private final int places;
  private final int vocabulary;
  private final double[][] kept;
  private final BitSet taken = new BitSet();
  private final Map<Integer, float[]> found = new HashMap<>();

  /** Rows that were compared. */
  int compared;

  PlainLogitComparison(int places, int vocabulary) {
    this.places = places;
    this.vocabulary = vocabulary;
    this.kept = new double[places][];
  }

  /** Places that nobody has given back. */
  int taken() {
    return taken.cardinality();
  }

  @Override
  public int take(int count) {
    int first = 0;
    while (taken.nextSetBit(first) >= 0 && taken.nextSetBit(first) < first + count) {
      first = taken.nextSetBit(first) + 1;
    }
    if (first + count > places) {
      return -1;
    }
    taken.set(first, first + count);
    Arrays.fill(kept, first, first + count, null);
    return first;
  }

  @Override
  public void give(int first, int count) {
    for (int place = first; place < first + count; place++) {
      assertTrue(taken.get(place), "place " + place + " was not taken");
      taken.clear(place);
    }
  }

  /** Compares what the batch says. */
  void compare(RowBatch batch, LatentRows rows) {
    found.clear();
    BitSet seen = new BitSet();
    float[] logits = new float[vocabulary];
    for (int row = 0; row < batch.size(); row++) {
      int place = batch.place(row);
      if (place >= 0) {
        assertTrue(taken.get(place), "place " + place + " is nobody's");
        assertFalse(seen.get(place), "place " + place + " twice");
        assertTrue(batch.logits(row), "a row without logits");
        seen.set(place);
        rows.readLogits(row, logits);
        found.put(row, compare(logits, place, batch.likelyOnly(row)));
        compared++;
      }
    }
  }

  private float[] compare(float[] logits, int place, boolean likelyOnly) {
    int likeliest = 0;
    for (int token = 1; token < logits.length; token++) {
      likeliest = logits[token] > logits[likeliest] ? token : likeliest;
    }
    double[] now = probabilities(logits);
    double entropy = 0;
    for (double probability : now) {
      entropy -= probability * Math.log(probability + 1e-10);
    }
    if (likelyOnly) {
      double bound = SHARE * now[likeliest];
      double sum = 0;
      for (int token = 0; token < now.length; token++) {
        now[token] = now[token] < bound ? 1.0 / now.length : now[token];
        sum += now[token];
      }
      for (int token = 0; token < now.length; token++) {
        now[token] /= sum;
      }
    }
    double divergence = 0;
    for (int token = 0; token < now.length; token++) {
      double before = kept[place] == null ? 1.0 / now.length : kept[place][token];
      divergence += before * Math.log(before / now[token]);
    }
    kept[place] = now;
    return new float[] {likeliest, (float) entropy, (float) divergence};
  }

  /** The softmax. */
  static double[] probabilities(float[] logits) {
    double greatest = Double.NEGATIVE_INFINITY;
    for (float logit : logits) {
      greatest = Math.max(greatest, logit);
    }
    double sum = 0;
    double[] powers = new double[logits.length];
    for (int token = 0; token < logits.length; token++) {
      powers[token] = Math.exp(logits[token] - greatest);
      sum += powers[token];
    }
    for (int token = 0; token < logits.length; token++) {
      powers[token] /= sum;
    }
    return powers;
  }

  @Override
  public void read(int row, float[] sums, int at) {
    System.arraycopy(found.get(row), 0, sums, at, SUMS);
  }
}
