package dev.muninn.vector;

import dev.muninn.bench.Resource;
import dev.muninn.bench.Work;
import dev.muninn.bench.WorkBenchmark;
import dev.muninn.kernel.RowKernels;
import dev.muninn.kernel.ScalarKernels;
import dev.muninn.measure.RandomValues;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;

/** The gated activation of the MLP. */
public class GateBenchmark extends WorkBenchmark {
  @Param({"3520", "17920"})
  public int size;

  private float[] gate;
  private float[] up;
  private float[] hidden;

  @Override
  protected Work work() {
    return Work.NONE.and(Resource.CACHE, 3.0 * Float.BYTES * size);
  }

  @Override
  protected void prepare() {
    gate = RandomValues.floats(size, 0);
    up = RandomValues.floats(size, 1);
    hidden = new float[size];
  }

  @Benchmark
  public float[] kernel() {
    RowKernels.gate(gate, 0, up, 0, hidden, 0, size);
    return hidden;
  }

  @Benchmark
  public float[] scalarTwin() {
    ScalarKernels.gate(gate, 0, up, 0, hidden, 0, size);
    return hidden;
  }
}
