package dev.muninn.vector;

import dev.muninn.bench.Resource;
import dev.muninn.bench.Work;
import dev.muninn.bench.WorkBenchmark;
import dev.muninn.cache.KeyValueType;
import dev.muninn.measure.ModelShape;
import dev.muninn.measure.RandomValues;
import dev.muninn.weights.DType;
import java.lang.foreign.MemorySegment;
import java.util.function.Function;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;

/** Attention of a query to keys and values in 8 bits, beside the scalar twins. */
public class ByteStoreBenchmark extends WorkBenchmark {
  @Param({"SMALL", "HUGINN"})
  public ModelShape shape;

  @Param({"128", "4096"})
  public int positions;

  private int headSize;
  private Rotation<MemorySegment> heads;
  private float[] query;
  private float[] weights;
  private ByteValues.Scratch scratch;
  private float[] out;
  private final float[] scores = new float[ByteKeys.STREAMS * ByteBlocks.SIDE];

  @Override
  protected Work work() {
    long size = shape.model(DType.F32).headSize();
    return Work.NONE
        .and(Resource.MEMORY, positions * KeyValueType.Q8.rowBytes((int) size))
        .and(Resource.ARITHMETIC, 2.0 * size * positions);
  }

  @Override
  protected void prepare() {
    headSize = shape.model(DType.F32).headSize();
    long bytes = (long) positions * KeyValueType.Q8.rowBytes(headSize);
    heads = Rotation.of(DType.BF16, bytes, MachineLimits.OUT_OF_CACHE, Function.identity());
    query = ByteKeys.query(headSize);
    ByteKeys.packQuery(RandomValues.floats(headSize, 1), headSize, query);
    weights = RandomValues.floats(positions, 2);
    scratch = new ByteValues.Scratch(headSize);
    out = new float[headSize];
  }

  @Benchmark
  public float[] scores() {
    MemorySegment keys = heads.next();
    int quarter = positions / ByteKeys.STREAMS;
    for (int p = 0; p < quarter; p += ByteBlocks.SIDE) {
      ByteKeys.scores(keys, 0, positions, p, quarter, query, scores);
    }
    return scores;
  }

  @Benchmark
  public float[] scoresTwin() {
    MemorySegment keys = heads.next();
    int quarter = positions / ByteKeys.STREAMS;
    for (int p = 0; p < quarter; p += ByteBlocks.SIDE) {
      ByteKeys.scoresByScalars(keys, 0, positions, p, quarter, query, scores);
    }
    return scores;
  }

  @Benchmark
  public float[] weightedSum() {
    ByteValues.add(heads.next(), 0, positions, weights, 0, positions, scratch, out);
    return out;
  }

  @Benchmark
  public float[] weightedSumTwin() {
    ByteValues.addByScalars(heads.next(), 0, positions, weights, 0, positions, scratch, out);
    return out;
  }
}
