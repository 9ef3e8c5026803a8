package dev.muninn.vector;

import dev.muninn.bench.Resource;
import dev.muninn.bench.Work;
import dev.muninn.bench.WorkBenchmark;
import dev.muninn.kernel.RowKernels;
import dev.muninn.kernel.ScalarKernels;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;

/** The residual stream: a row is added to another. */
public class AddBenchmark extends WorkBenchmark {
  @Param({"1024", "5280"})
  public int size;

  private float[] x;
  private float[] y;

  @Override
  protected Work work() {
    return Work.NONE.and(Resource.CACHE, 3.0 * Float.BYTES * size);
  }

  @Override
  protected void prepare() {
    x = new float[size];
    // Zeros: the row is added again and again and must not grow.
    y = new float[size];
  }

  @Benchmark
  public float[] kernel() {
    RowKernels.add(x, 0, y, 0, size);
    return x;
  }

  @Benchmark
  public float[] scalarTwin() {
    ScalarKernels.add(x, 0, y, 0, size);
    return x;
  }
}
