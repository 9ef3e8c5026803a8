package dev.muninn.vector;

import dev.muninn.bench.Resource;
import dev.muninn.bench.Work;
import dev.muninn.bench.WorkBenchmark;
import dev.muninn.measure.RandomValues;
import dev.muninn.weights.DType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;

/** F16 weights of one strip become floats. */
public class WidenBenchmark extends WorkBenchmark {
  @Param({"1024", "5280"})
  public int columns;

  private MemorySegment weights;
  private MatrixKernels.Scratch scratch;

  @Override
  protected Work work() {
    double elements = (double) MatrixKernels.UNIT * columns;
    return Work.NONE.and(Resource.CACHE, (Short.BYTES + Float.BYTES) * elements);
  }

  @Override
  protected void prepare() {
    weights = Arena.ofAuto().allocate((long) MatrixKernels.UNIT * Short.BYTES * columns, 64);
    RandomValues.fill(weights, DType.F16, 1, 0);
    scratch = new MatrixKernels.Scratch();
  }

  @Benchmark
  public MemorySegment kernel() {
    long rowBytes = (long) Short.BYTES * columns;
    F16Products.widen(weights, 0, rowBytes, 4 * rowBytes, columns, scratch);
    return scratch.strip;
  }
}
