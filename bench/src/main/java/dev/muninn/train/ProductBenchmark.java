package dev.muninn.train;

import dev.muninn.bench.Resource;
import dev.muninn.bench.Work;
import dev.muninn.bench.WorkBenchmark;
import dev.muninn.measure.RandomValues;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;

/** A product of training, on four sequences of 72 and matrices of raven-tiny. */
public abstract class ProductBenchmark extends WorkBenchmark {
  static final int ROWS = 288;

  /** Outputs x inputs: queries, keys and values; gate and up; the MLP's projection. */
  @Param({"384x128", "704x128", "128x352"})
  public String dimensions;

  final Products products = new Products();
  Rows inputs;
  Rows outputs;
  Rows weights;

  @Override
  protected Work work() {
    return Work.NONE.and(Resource.ARITHMETIC, 2.0 * ROWS * rows() * columns());
  }

  @Override
  protected void prepare() {
    inputs = Rows.of(RandomValues.floats(ROWS * columns(), 1), ROWS, columns());
    outputs = Rows.of(RandomValues.floats(ROWS * rows(), 2), ROWS, rows());
    weights = Rows.of(RandomValues.floats(rows() * columns(), 3), rows(), columns());
  }

  private int rows() {
    return Integer.parseInt(dimensions.split("x")[0]);
  }

  private int columns() {
    return Integer.parseInt(dimensions.split("x")[1]);
  }

  /** The weights, packed for the gradient of the input. */
  final Products.Panels packed() {
    Products.Panels panels = Products.Panels.of(rows(), columns());
    panels.pack(weights);
    return panels;
  }

  /** The weights, packed for a forward. */
  final Products.Panels packedTransposed() {
    Products.Panels panels = Products.Panels.of(columns(), rows());
    panels.packTransposed(weights);
    return panels;
  }

  /** The weights turned, for the scalar twin of a forward. */
  final Rows transposed() {
    float[] turned = new float[rows() * columns()];
    for (int row = 0; row < rows(); row++) {
      for (int column = 0; column < columns(); column++) {
        turned[column * rows() + row] = weights.data()[row * columns() + column];
      }
    }
    return Rows.of(turned, columns(), rows());
  }

  /** The forward: {@code y = x W^T}. */
  public static class Forward extends ProductBenchmark {
    private Products.Panels panels;
    private Rows turned;

    @Override
    protected void prepare() {
      super.prepare();
      panels = packedTransposed();
      turned = transposed();
    }

    @Benchmark
    public float[] kernel() {
      products.multiply(inputs, panels, outputs);
      return outputs.data();
    }

    @Benchmark
    public float[] scalarTwin() {
      ScalarProducts.multiply(inputs, turned, outputs, false);
      return outputs.data();
    }
  }

  /** The gradient of the input: {@code dx = dy W}. */
  public static class InputGradient extends ProductBenchmark {
    private Products.Panels panels;

    @Override
    protected void prepare() {
      super.prepare();
      panels = packed();
    }

    @Benchmark
    public float[] kernel() {
      products.multiply(outputs, panels, inputs);
      return inputs.data();
    }

    @Benchmark
    public float[] scalarTwin() {
      ScalarProducts.multiply(outputs, weights, inputs, false);
      return inputs.data();
    }
  }

  /** The gradient of the weights: {@code dW = dy^T x}; sums over sums would grow without bounds. */
  public static class WeightGradient extends ProductBenchmark {
    @Benchmark
    public float[] kernel() {
      products.multiplyTransposed(outputs, inputs, weights);
      return weights.data();
    }

    @Benchmark
    public float[] scalarTwin() {
      ScalarProducts.multiplyTransposed(outputs, inputs, weights, false);
      return weights.data();
    }
  }
}
