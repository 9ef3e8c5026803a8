package dev.muninn.vector;

import dev.muninn.bench.Resource;
import dev.muninn.bench.Work;
import dev.muninn.bench.WorkBenchmark;
import dev.muninn.measure.RandomValues;
import dev.muninn.model.WeightFormat;
import dev.muninn.weights.DType;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;

/** Rows are brought into the order that a product reads them in. */
public class PackBenchmark extends WorkBenchmark {
  @Param({"1024", "17920"})
  public int columns;

  @Param({"BF16", "F32"})
  public DType dtype;

  @Param({"1", "4", "8"})
  public int rows;

  private float[] source;
  private PackedRows packed;

  @Override
  protected Work work() {
    return Work.NONE.and(Resource.CACHE, 2.0 * Float.BYTES * rows * columns);
  }

  @Override
  protected void prepare() {
    source = RandomValues.floats(rows * columns, 0);
    packed = new PackedRows(rows, columns);
    packed.shape(rows, columns, WeightFormat.of(dtype));
  }

  @Benchmark
  public Object kernel() {
    for (int row = 0; row < rows; row++) {
      packed.pack(row, source, row * columns);
    }
    return packed;
  }

  @Benchmark
  public Object scalarTwin() {
    for (int row = 0; row < rows; row++) {
      ScalarMatrixKernels.pack(packed, row, source, row * columns);
    }
    return packed;
  }
}
