package dev.muninn.vector;

import dev.muninn.bench.Resource;
import dev.muninn.bench.Work;
import dev.muninn.bench.WorkBenchmark;
import dev.muninn.kernel.Lanes;
import dev.muninn.kernel.RowKernels;
import dev.muninn.kernel.ScalarKernels;
import dev.muninn.measure.RandomValues;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;

/** The exponentials of the scores of a query, and their sum. */
public class SoftmaxBenchmark extends WorkBenchmark {
  @Param({"128", "1024", "4096"})
  public int positions;

  private final float[] lanes = new float[Lanes.COUNT];
  private float[] original;
  private float[] scores;

  @Override
  protected Work work() {
    return Work.NONE.and(Resource.CACHE, 2.0 * Float.BYTES * positions);
  }

  @Override
  protected void prepare() {
    original = RandomValues.floats(positions, 0);
    scores = new float[positions + Lanes.COUNT];
  }

  @Benchmark
  public float kernel() {
    renew();
    return RowKernels.exponentiate(scores, positions);
  }

  @Benchmark
  public float scalarTwin() {
    renew();
    return ScalarKernels.exponentiate(scores, positions, lanes);
  }

  /** In the time: scores are replaced, and those of the last invocation are no scores. */
  private void renew() {
    System.arraycopy(original, 0, scores, 0, positions);
  }
}
