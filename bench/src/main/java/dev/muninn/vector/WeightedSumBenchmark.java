package dev.muninn.vector;

import dev.muninn.kernel.ScalarKernels;
import dev.muninn.kernel.WeightedSums;
import dev.muninn.measure.RandomValues;
import java.util.Arrays;
import org.openjdk.jmh.annotations.Benchmark;

/** Values, weighted by position. */
public class WeightedSumBenchmark extends AttentionBenchmark {
  private float[] weights;
  private float[] out;

  @Override
  protected void prepare() {
    super.prepare();
    weights = RandomValues.floats(positions, 1);
    out = new float[headSize];
  }

  @Benchmark
  public float[] kernel() {
    Arrays.fill(out, 0);
    WeightedSums.add(dtype, nextRows(), 0, headSize, weights, 0, positions, out);
    return out;
  }

  @Benchmark
  public float[] scalarTwin() {
    Arrays.fill(out, 0);
    ScalarKernels.addWeighted(dtype, nextRows(), 0, headSize, 0, weights, 0, positions, out);
    return out;
  }
}
