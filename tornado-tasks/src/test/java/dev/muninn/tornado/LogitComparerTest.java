package dev.muninn.tornado;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.muninn.Fixture;
import dev.muninn.backend.LatentRows;
import dev.muninn.backend.LogitComparison;
import dev.muninn.backend.RowBatch;
import dev.muninn.cache.KeyValueLayout;
import dev.muninn.cache.SequenceCache;
import dev.muninn.cache.SlotPolicy;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Logits are compared on the device, with what was kept of the same place. */
class LogitComparerTest {
  private static final int ROWS = 3;

  private final SplittableRandom random = new SplittableRandom(5);

  private float[] vector(int size, double spread) {
    float[] vector = new float[size];
    for (int i = 0; i < size; i++) {
      vector[i] = (float) random.nextDouble(-spread, spread);
    }
    return vector;
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void valuesAreThoseOfTheLogits(boolean likelyOnly) {
    try (Fixture fixture = new Fixture("raven-1-4-1-bf16");
        DeviceBackend backend = TestDevices.open(fixture.model(), fixture.checkpoint());
        LatentRows rows = backend.rows(ROWS);
        LatentRows others = backend.rows(ROWS)) {
      int width = fixture.model().width();
      int vocabulary = fixture.model().vocabularySize();
      KeyValueLayout layout = new KeyValueLayout(fixture.model(), SlotPolicy.full(), 1, ROWS);
      LogitComparison comparison = rows.logitComparison().orElseThrow();
      final int first = comparison.take(ROWS);
      double[][] kept = new double[ROWS][];
      float[][] states = new float[ROWS][width];
      try (SequenceCache cache = new SequenceCache(layout, backend.allocate(layout));
          SequenceCache other = new SequenceCache(layout, backend.allocate(layout))) {
        // From far to near: what is to be found becomes small.
        for (double spread : new double[] {1, 0.3, 1e-2, 1e-3}) {
          RowBatch batch = batch(cache);
          for (int row = 0; row < ROWS; row++) {
            float[] change = vector(width, spread);
            for (int i = 0; i < width; i++) {
              states[row][i] += change[i];
            }
            rows.writeLatent(row, states[row]);
            // The row in the middle is not compared.
            if (row != 1) {
              batch.setCompared(row, first + ROWS - 1 - row, likelyOnly);
            }
          }
          rows.coda(batch);
          check(rows, 0, likelyOnly, kept, vocabulary);
          // Another coda takes the place of what the device has found.
          others.coda(batch(other));
          check(rows, 2, likelyOnly, kept, vocabulary);
        }
        comparison.give(first, ROWS);
        assertEquals(first, comparison.take(ROWS));
        kept = new double[ROWS][];
        RowBatch batch = batch(cache);
        batch.setCompared(0, first, likelyOnly);
        rows.coda(batch);
        check(rows, 0, likelyOnly, kept, vocabulary);
      }
    }
  }

  private static RowBatch batch(SequenceCache cache) {
    RowBatch batch = new RowBatch(ROWS);
    for (int row = 0; row < ROWS; row++) {
      batch.add(row, cache, row, 7 + row);
      batch.setLogits(row, true);
    }
    return batch;
  }

  private static void check(
      LatentRows rows, int row, boolean likelyOnly, double[][] kept, int vocabulary) {
    float[] logits = new float[vocabulary];
    rows.readLogits(row, logits);
    float[] sums = new float[LogitComparison.SUMS + 1];
    rows.logitComparison().orElseThrow().read(row, sums, 1);
    int likeliest = 0;
    for (int token = 1; token < vocabulary; token++) {
      likeliest = logits[token] > logits[likeliest] ? token : likeliest;
    }
    assertEquals(likeliest, sums[1 + LogitComparison.LIKELIEST]);
    double[] now = new double[vocabulary];
    double sum = 0;
    for (int token = 0; token < vocabulary; token++) {
      now[token] = Math.exp((double) logits[token] - logits[likeliest]);
      sum += now[token];
    }
    double entropy = 0;
    for (int token = 0; token < vocabulary; token++) {
      now[token] /= sum;
      entropy -= now[token] * Math.log(now[token] + 1e-10);
    }
    assertEquals(entropy, sums[1 + LogitComparison.ENTROPY], 1e-5, "entropy");
    if (likelyOnly) {
      double bound = now[likeliest] / 10;
      sum = 0;
      for (int token = 0; token < vocabulary; token++) {
        now[token] = now[token] < bound ? 1.0 / vocabulary : now[token];
        sum += now[token];
      }
      for (int token = 0; token < vocabulary; token++) {
        now[token] /= sum;
      }
    }
    double divergence = 0;
    for (int token = 0; token < vocabulary; token++) {
      double before = kept[row] == null ? 1.0 / vocabulary : kept[row][token];
      divergence += before * Math.log(before / now[token]);
    }
    kept[row] = now;
    assertEquals(
        divergence, sums[1 + LogitComparison.DIVERGENCE], 1e-3 * divergence + 1e-9, "divergence");
  }
}
