package dev.muninn.vector;

import dev.muninn.bench.Resource;
import dev.muninn.bench.Work;
import dev.muninn.bench.WorkBenchmark;
import dev.muninn.kernel.Lanes;
import dev.muninn.kernel.NativeMemory;
import dev.muninn.measure.ModelShape;
import dev.muninn.measure.RandomValues;
import dev.muninn.weights.DType;
import java.lang.foreign.MemorySegment;
import java.util.function.Function;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;

/** Attention of a query to keys and values in 8 bits, beside the scalar twins. */
public class ByteRowsBenchmark extends WorkBenchmark {
  @Param({"SMALL", "HUGINN"})
  public ModelShape shape;

  @Param({"128", "4096"})
  public int positions;

  private int headSize;
  private Rotation<MemorySegment> rows;
  private MemorySegment query;
  private float[] weights;
  private float[] sums;
  private float[] out;
  private final float[] lanes = new float[Lanes.COUNT];
  private final float[] partials = new float[Lanes.PARTIALS];

  @Override
  protected Work work() {
    long size = shape.model(DType.F32).headSize();
    return Work.NONE
        .and(Resource.MEMORY, positions * (size + ByteRows.SCALE_BYTES))
        .and(Resource.ARITHMETIC, 2.0 * size * positions);
  }

  @Override
  protected void prepare() {
    headSize = shape.model(DType.F32).headSize();
    long bytes = positions * rowBytes();
    rows =
        Rotation.of(DType.BF16, bytes + bytes % 2, MachineLimits.OUT_OF_CACHE, Function.identity());
    query = NativeMemory.allocateAutomatic((long) Float.BYTES * (headSize + 1));
    ByteRows.packQuery(RandomValues.floats(headSize, 1), headSize, query);
    weights = RandomValues.floats(positions, 2);
    sums = ByteRows.sums(headSize);
    out = new float[headSize];
  }

  private long rowBytes() {
    return (long) headSize + ByteRows.SCALE_BYTES;
  }

  @Benchmark
  public float[] scores() {
    MemorySegment keys = rows.next();
    for (int p = 0; p < positions / 4; p += 4) {
      ByteRows.scores(keys, p * rowBytes(), positions / 4 * rowBytes(), headSize, query, partials);
    }
    return partials;
  }

  @Benchmark
  public float[] scoresTwin() {
    MemorySegment keys = rows.next();
    for (int p = 0; p < positions / 4; p += 4) {
      ByteRows.scoresByScalars(
          keys, p * rowBytes(), positions / 4 * rowBytes(), headSize, query, lanes, partials);
    }
    return partials;
  }

  @Benchmark
  public float[] weightedSum() {
    ByteRows.addWeighted(rows.next(), 0, headSize, weights, 0, positions, sums, out);
    return out;
  }

  @Benchmark
  public float[] weightedSumTwin() {
    ByteRows.addWeightedByScalars(rows.next(), 0, headSize, weights, 0, positions, sums, out);
    return out;
  }
}
