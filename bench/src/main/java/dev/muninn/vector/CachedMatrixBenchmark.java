package dev.muninn.vector;

import dev.muninn.bench.BlockMatrix;
import dev.muninn.bench.Resource;
import dev.muninn.bench.Work;
import dev.muninn.bench.WorkBenchmark;
import dev.muninn.measure.ModelShape;
import dev.muninn.model.RecurrentModel;
import dev.muninn.model.WeightFormat;
import dev.muninn.weights.DType;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;

/** A small matrix from the cache times packed rows, beside its scalar twin. */
public class CachedMatrixBenchmark extends WorkBenchmark {
  private static final RecurrentModel MODEL = ModelShape.TINY.model(DType.F32);

  @Param public BlockMatrix matrix;

  @Param({"BF16", "F16", "F32", "BF16_PANELS", "Q8", "Q4"})
  public WeightFormat format;

  @Param({"1", "8"})
  public int rows;

  private MatrixProduct product;

  @Override
  protected Work work() {
    return Work.ofProduct(Resource.CACHE, format, matrix.elements(MODEL), rows);
  }

  @Override
  protected void prepare() {
    product = new MatrixProduct(MODEL, matrix, format, rows, 0);
  }

  @Benchmark
  public float[] kernel() {
    return product.compute();
  }

  @Benchmark
  public float[] scalarTwin() {
    return product.computeScalar();
  }
}
