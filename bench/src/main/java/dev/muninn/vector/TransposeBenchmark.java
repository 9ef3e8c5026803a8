package dev.muninn.vector;

import dev.muninn.bench.Resource;
import dev.muninn.bench.Work;
import dev.muninn.bench.WorkBenchmark;
import dev.muninn.kernel.Lanes;
import dev.muninn.measure.RandomValues;
import org.openjdk.jmh.annotations.Benchmark;

/** A square of results is transposed, in place, on vectors of 16 floats. */
public class TransposeBenchmark extends WorkBenchmark {
  private final float[] square = RandomValues.floats(Lanes.SUMS * Lanes.SUMS, 0);

  @Override
  protected Work work() {
    return Work.NONE.and(Resource.CACHE, 2.0 * Float.BYTES * square.length);
  }

  @Override
  protected void prepare() {
    if (Lanes.COUNT != Lanes.SUMS) {
      throw new IllegalStateException("squares are of vectors of 16 floats, here they have fewer");
    }
  }

  @Benchmark
  public float[] kernel() {
    Lanes.transpose(square, 0);
    return square;
  }
}
