package dev.muninn.tornado.kernel;

import dev.muninn.backend.LogitComparison;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/** Distributions against each other, in doubles and plain loops. */
class CompareKernelsTest extends KernelFixture {
  private static final int LOGIT_ROWS = 4;
  private static final int PLACES = 5;

  /** Of each row of logits that is compared: the row, the place, flags. */
  private static final int[][] COMPARED = {
    {2, 4, CompareKernels.UNIFORM},
    {0, 1, 0},
    {1, 0, CompareKernels.LIKELY_ONLY},
    {3, 2, CompareKernels.LIKELY_ONLY | CompareKernels.UNIFORM}
  };

  @ParameterizedTest
  @ValueSource(ints = {2, 150, 3001})
  void logits(int vocabulary) {
    float[] logits = values(LOGIT_ROWS * vocabulary);
    for (int i = 0; i < logits.length; i++) {
      logits[i] *= 3;
    }
    // Of two likeliest tokens the first counts.
    logits[vocabulary + vocabulary / 2] = 7;
    logits[2 * vocabulary - 1] = 7;
    float[] before = values(PLACES * vocabulary);
    for (int place = 0; place < PLACES; place++) {
      double sum = 0;
      for (int i = place * vocabulary; i < (place + 1) * vocabulary; i++) {
        sum += Math.exp(before[i]);
      }
      for (int i = place * vocabulary; i < (place + 1) * vocabulary; i++) {
        before[i] -= (float) Math.log(sum);
      }
    }
    IntArray compared = new IntArray(1 + COMPARED.length * CompareKernels.COMPARED);
    compared.set(0, COMPARED.length);
    float[] expected = new float[LOGIT_ROWS * LogitComparison.SUMS];
    for (int item = 0; item < COMPARED.length; item++) {
      for (int i = 0; i < CompareKernels.COMPARED; i++) {
        compared.set(1 + item * CompareKernels.COMPARED + i, COMPARED[item][i]);
      }
      expect(logits, before, vocabulary, COMPARED[item], expected);
    }
    FloatArray logitArray = FloatArray.fromArray(logits);
    FloatArray kept = FloatArray.fromArray(before);
    FloatArray sums = new FloatArray(expected.length);
    Runnable clear =
        () -> {
          sums.init(Float.NaN);
          for (int i = 0; i < before.length; i++) {
            kept.set(i, before[i]);
          }
        };
    KernelRun.check(
        LOGIT_ROWS,
        new Object[] {compared, logitArray, kept, sums},
        new KernelRun.Output(sums, expected.length, clear, sums::get),
        i -> expected[i],
        2e-5,
        (context, lanes) ->
            CompareKernels.compareLogits(
                context, compared, logitArray, kept, sums, vocabulary, lanes),
        (graph, context, lanes) ->
            graph.task(
                "kernel",
                CompareKernels::compareLogits,
                context,
                compared,
                logitArray,
                kept,
                sums,
                vocabulary,
                lanes));
  }

  private static void expect(
      float[] logits, float[] before, int vocabulary, int[] item, float[] expected) {
    int from = item[0] * vocabulary;
    int likeliest = 0;
    for (int i = 1; i < vocabulary; i++) {
      likeliest = logits[from + i] > logits[from + likeliest] ? i : likeliest;
    }
    double[] now = new double[vocabulary];
    double sum = 0;
    for (int i = 0; i < vocabulary; i++) {
      now[i] = Math.exp(logits[from + i]);
      sum += now[i];
    }
    double entropy = 0;
    for (int i = 0; i < vocabulary; i++) {
      now[i] /= sum;
      entropy -= now[i] * Math.log(now[i] + 1e-10);
    }
    if ((item[2] & CompareKernels.LIKELY_ONLY) != 0) {
      double bound = now[likeliest] / 10;
      sum = 0;
      for (int i = 0; i < vocabulary; i++) {
        now[i] = now[i] < bound ? 1.0 / vocabulary : now[i];
        sum += now[i];
      }
      for (int i = 0; i < vocabulary; i++) {
        now[i] /= sum;
      }
    }
    double divergence = 0;
    for (int i = 0; i < vocabulary; i++) {
      boolean uniform = (item[2] & CompareKernels.UNIFORM) != 0;
      double was = uniform ? 1.0 / vocabulary : Math.exp(before[item[1] * vocabulary + i]);
      divergence += was * Math.log(was / now[i]);
    }
    int to = item[0] * LogitComparison.SUMS;
    expected[to + LogitComparison.LIKELIEST] = likeliest;
    expected[to + LogitComparison.ENTROPY] = (float) entropy;
    expected[to + LogitComparison.DIVERGENCE] = (float) divergence;
  }
}
