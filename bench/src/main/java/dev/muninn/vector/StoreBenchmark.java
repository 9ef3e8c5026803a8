package dev.muninn.vector;

import dev.muninn.bench.Resource;
import dev.muninn.bench.Work;
import dev.muninn.bench.WorkBenchmark;
import dev.muninn.kernel.RowKernels;
import dev.muninn.kernel.ScalarKernels;
import dev.muninn.measure.ModelShape;
import dev.muninn.measure.RandomValues;
import dev.muninn.weights.DType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;

/** A key or value of one head goes to the cache of its sequence. */
public class StoreBenchmark extends WorkBenchmark {
  @Param({"SMALL", "HUGINN"})
  public ModelShape shape;

  @Param({"BF16", "F32"})
  public DType dtype;

  private float[] x;
  private MemorySegment row;

  @Override
  protected Work work() {
    double size = shape.model(DType.F32).headSize();
    return Work.NONE.and(Resource.CACHE, size * (Float.BYTES + dtype.bits() / Byte.SIZE));
  }

  @Override
  protected void prepare() {
    x = RandomValues.floats(shape.model(DType.F32).headSize(), 0);
    row = Arena.ofAuto().allocate((long) Float.BYTES * x.length, 64);
  }

  @Benchmark
  public MemorySegment kernel() {
    RowKernels.store(dtype, x, 0, row, 0, x.length);
    return row;
  }

  @Benchmark
  public MemorySegment scalarTwin() {
    ScalarKernels.store(dtype, x, 0, row, 0, x.length);
    return row;
  }
}
