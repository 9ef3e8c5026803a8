package dev.muninn.vector;

import dev.muninn.bench.Resource;
import dev.muninn.bench.Work;
import dev.muninn.bench.WorkBenchmark;
import dev.muninn.kernel.Lanes;
import dev.muninn.measure.RandomValues;
import org.openjdk.jmh.annotations.Benchmark;

/** The lanes of 16 accumulators are summed, in place. */
public class ReduceBenchmark extends WorkBenchmark {
  private final float[] original = RandomValues.floats(Lanes.PARTIALS, 0);
  private final float[] partials = new float[Lanes.PARTIALS];

  @Override
  protected Work work() {
    return Work.NONE.and(Resource.CACHE, 2.0 * Float.BYTES * Lanes.PARTIALS);
  }

  @Benchmark
  public float[] kernel() {
    // In the time: sums of sums would grow without bounds.
    System.arraycopy(original, 0, partials, 0, Lanes.PARTIALS);
    Lanes.reduce(partials);
    return partials;
  }
}
