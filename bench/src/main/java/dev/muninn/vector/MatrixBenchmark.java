package dev.muninn.vector;

import dev.muninn.bench.BlockMatrix;
import dev.muninn.bench.Resource;
import dev.muninn.bench.Work;
import dev.muninn.bench.WorkBenchmark;
import dev.muninn.measure.ModelShape;
import dev.muninn.model.WeightFormat;
import dev.muninn.weights.DType;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;

/** A matrix from memory times packed rows, as in a model that fits into no cache. */
public class MatrixBenchmark extends WorkBenchmark {
  @Param({"SMALL", "HUGINN"})
  public ModelShape shape;

  @Param public BlockMatrix matrix;

  @Param({"BF16", "F16", "F32", "BF16_PANELS", "Q8", "Q4"})
  public WeightFormat format;

  @Param({"1", "2", "4", "8", "32", "128"})
  public int rows;

  private MatrixProduct product;

  @Override
  protected Work work() {
    return Work.ofProduct(Resource.MEMORY, format, matrix.elements(shape.model(DType.F32)), rows);
  }

  @Override
  protected void prepare() {
    product =
        new MatrixProduct(shape.model(DType.F32), matrix, format, rows, MachineLimits.OUT_OF_CACHE);
  }

  @Benchmark
  public float[] kernel() {
    return product.compute();
  }
}
