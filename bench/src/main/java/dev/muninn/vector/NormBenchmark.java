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

/** RMSNorm of a row. */
public class NormBenchmark extends WorkBenchmark {
  private static final float EPSILON = 1e-6f;

  @Param({"1024", "5280"})
  public int size;

  private final float[] lanes = new float[Lanes.COUNT];
  private float[] x;
  private float[] weight;
  private float[] out;

  @Override
  protected Work work() {
    return Work.NONE.and(Resource.CACHE, 3.0 * Float.BYTES * size);
  }

  @Override
  protected void prepare() {
    x = RandomValues.floats(size, 0);
    weight = RandomValues.floats(size, 1);
    out = new float[size];
  }

  @Benchmark
  public float[] kernel() {
    RowKernels.norm(x, 0, weight, EPSILON, out, 0, size);
    return out;
  }

  @Benchmark
  public float[] scalarTwin() {
    ScalarKernels.norm(x, 0, weight, EPSILON, out, 0, size, lanes);
    return out;
  }
}
