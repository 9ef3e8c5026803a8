package dev.muninn.vector;

import dev.muninn.bench.Resource;
import dev.muninn.bench.Work;
import dev.muninn.bench.WorkBenchmark;
import dev.muninn.measure.ModelShape;
import dev.muninn.model.WeightFormat;
import dev.muninn.weights.DType;
import java.lang.foreign.MemorySegment;
import java.util.function.Function;
import org.openjdk.jmh.annotations.Param;

/**
 * One query at the keys or values of one head. They come from memory: what a step of decoding reads
 * at all recurrences and blocks fits into no cache.
 */
public abstract class AttentionBenchmark extends WorkBenchmark {
  @Param({"SMALL", "HUGINN"})
  public ModelShape shape;

  @Param({"BF16", "F32"})
  public DType dtype;

  @Param({"128", "4096"})
  public int positions;

  int headSize;
  private Rotation<MemorySegment> rows;

  @Override
  protected Work work() {
    double numbers = (double) shape.model(DType.F32).headSize() * positions;
    return Work.ofProduct(Resource.MEMORY, WeightFormat.of(dtype), numbers, 1);
  }

  @Override
  protected void prepare() {
    headSize = shape.model(DType.F32).headSize();
    rows =
        Rotation.of(dtype, positions * rowBytes(), MachineLimits.OUT_OF_CACHE, Function.identity());
  }

  long rowBytes() {
    return (long) headSize * dtype.bits() / Byte.SIZE;
  }

  /** Rows of all positions, as {@link VectorStore} has them. */
  MemorySegment nextRows() {
    return rows.next();
  }
}
