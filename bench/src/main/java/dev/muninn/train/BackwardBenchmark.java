package dev.muninn.train;

import dev.muninn.bench.Resource;
import dev.muninn.bench.Work;
import dev.muninn.bench.WorkBenchmark;
import dev.muninn.measure.RandomValues;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;

/** The backward of what is done to a row between two products. */
public abstract class BackwardBenchmark extends WorkBenchmark {
  @Param({"128", "352", "1024"})
  public int size;

  final GradientKernels kernels = new GradientKernels();
  float[] x;
  float[] weight;
  float[] gradient;
  float[] result;
  float[] hidden;
  float[] sums;

  /** Rows of {@link #size} that are read or written. */
  abstract int rows();

  @Override
  protected Work work() {
    return Work.NONE.and(Resource.CACHE, (double) rows() * Float.BYTES * size);
  }

  @Override
  protected void prepare() {
    x = RandomValues.floats(2 * size, 0);
    weight = RandomValues.floats(size, 1);
    gradient = RandomValues.floats(size, 2);
    result = new float[2 * size];
    hidden = new float[size];
    sums = new float[size];
  }

  /** RMSNorm. */
  public static class Norm extends BackwardBenchmark {
    @Override
    int rows() {
      return 6;
    }

    @Benchmark
    public float[] kernel() {
      kernels.normBackward(x, 0, weight, 1e-6f, gradient, 0, result, 0, sums, size, false);
      return result;
    }

    @Benchmark
    public float[] scalarTwin() {
      ScalarGradientKernels.normBackward(
          x, 0, weight, 1e-6f, gradient, 0, result, 0, sums, size, false);
      return result;
    }
  }

  /** The gated activation. */
  public static class Gate extends BackwardBenchmark {
    @Override
    int rows() {
      return 6;
    }

    @Benchmark
    public float[] kernel() {
      GradientKernels.gateBackward(x, 0, size, gradient, 0, hidden, 0, result, 0, size);
      return result;
    }

    @Benchmark
    public float[] scalarTwin() {
      ScalarGradientKernels.gateBackward(x, 0, size, gradient, 0, hidden, 0, result, 0, 0, size);
      return result;
    }
  }

  /** The softmax of attention, in place on a copy of the gradient. */
  public static class Softmax extends BackwardBenchmark {
    @Override
    int rows() {
      return 4;
    }

    @Benchmark
    public float[] kernel() {
      System.arraycopy(gradient, 0, result, 0, size);
      kernels.softmaxBackward(x, 0, result, 0, size, 0.2f);
      return result;
    }

    @Benchmark
    public float[] scalarTwin() {
      System.arraycopy(gradient, 0, result, 0, size);
      ScalarGradientKernels.softmaxBackward(x, 0, result, 0, size, 0.2f);
      return result;
    }
  }
}
