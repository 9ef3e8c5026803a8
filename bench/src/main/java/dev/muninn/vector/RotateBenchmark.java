package dev.muninn.vector;

import dev.muninn.bench.Resource;
import dev.muninn.bench.Work;
import dev.muninn.bench.WorkBenchmark;
import dev.muninn.kernel.RowKernels;
import dev.muninn.kernel.ScalarKernels;
import dev.muninn.measure.RandomValues;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;

/** Rotary position of one head, in either layout, with a bias or without. */
public class RotateBenchmark extends WorkBenchmark {
  @Param({"64", "96", "128"})
  public int headSize;

  @Param({"false", "true"})
  public boolean halves;

  @Param({"true", "false"})
  public boolean biased;

  private float[] cosines;
  private float[] sines;
  private float[] x;
  private float[] bias;
  private float[] out;

  @Override
  protected Work work() {
    return Work.NONE.and(Resource.CACHE, (biased ? 5.0 : 4.0) * Float.BYTES * headSize);
  }

  @Override
  protected void prepare() {
    x = RandomValues.floats(headSize, 0);
    bias = biased ? RandomValues.floats(headSize, 1) : null;
    cosines = RandomValues.floats(headSize, 2);
    sines = RandomValues.floats(headSize, 3);
    out = new float[headSize];
  }

  @Benchmark
  public float[] kernel() {
    if (halves) {
      RowKernels.rotateHalves(x, 0, bias, 0, cosines, sines, 0, out, headSize);
    } else {
      RowKernels.rotate(x, 0, bias, 0, cosines, sines, 0, out, headSize);
    }
    return out;
  }

  @Benchmark
  public float[] scalarTwin() {
    if (halves) {
      ScalarKernels.rotateHalves(x, 0, bias, 0, cosines, sines, 0, out, headSize);
    } else {
      ScalarKernels.rotate(x, 0, bias, 0, cosines, sines, 0, out, headSize);
    }
    return out;
  }
}
