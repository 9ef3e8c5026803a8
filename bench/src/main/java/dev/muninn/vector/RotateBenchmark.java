package dev.muninn.vector;

import dev.muninn.bench.Resource;
import dev.muninn.bench.Work;
import dev.muninn.bench.WorkBenchmark;
import dev.muninn.measure.ModelShape;
import dev.muninn.measure.RandomValues;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;

/** Bias and rotary position of one head. */
public class RotateBenchmark extends WorkBenchmark {
  private static final int POSITION = 100;

  @Param({"SMALL", "HUGINN"})
  public ModelShape shape;

  private RotaryTable rotary;
  private float[] x;
  private float[] bias;
  private float[] out;

  @Override
  protected Work work() {
    return Work.NONE.and(Resource.CACHE, 5.0 * Float.BYTES * shape.config().headSize());
  }

  @Override
  protected void prepare() {
    rotary = new RotaryTable(shape.config());
    rotary.extend(shape.config().contextLength());
    x = RandomValues.floats(shape.config().headSize(), 0);
    bias = RandomValues.floats(x.length, 1);
    out = new float[x.length];
  }

  @Benchmark
  public float[] kernel() {
    RowKernels.rotate(
        x, 0, bias, 0, rotary.cosines, rotary.sines, rotary.offset(POSITION), out, out.length);
    return out;
  }

  @Benchmark
  public float[] scalarTwin() {
    ScalarKernels.rotate(
        x, 0, bias, 0, rotary.cosines, rotary.sines, rotary.offset(POSITION), out, out.length);
    return out;
  }
}
