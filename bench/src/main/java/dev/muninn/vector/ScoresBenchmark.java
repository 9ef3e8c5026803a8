package dev.muninn.vector;

import dev.muninn.kernel.Lanes;
import dev.muninn.kernel.NativeMemory;
import dev.muninn.measure.RandomValues;
import java.lang.foreign.MemorySegment;
import org.openjdk.jmh.annotations.Benchmark;

/** The products of a query with keys. */
public class ScoresBenchmark extends AttentionBenchmark {
  private final float[] lanes = new float[Lanes.COUNT];
  private final float[] partials = new float[Lanes.PARTIALS];
  private MemorySegment query;
  private float[] scores;

  /** Computes the products with 16 keys. */
  private interface Products {
    void compute(MemorySegment keys, long offset);
  }

  @Override
  protected void prepare() {
    super.prepare();
    query = NativeMemory.allocateAutomatic((long) Float.BYTES * headSize);
    query.copyFrom(MemorySegment.ofArray(RandomValues.floats(headSize, 1)));
    scores = new float[positions];
  }

  @Benchmark
  public float[] kernel() {
    long rowBytes = rowBytes();
    return scores((keys, offset) ->
        MatrixKernels.dot16(
            dtype, keys, offset, rowBytes, 4 * rowBytes, headSize, query, false, partials));
  }

  @Benchmark
  public float[] scalarTwin() {
    long rowBytes = rowBytes();
    return scores((keys, offset) ->
        ScalarMatrixKernels.dot16(
            dtype, keys, offset, rowBytes, 4 * rowBytes, headSize, query, false, lanes, partials));
  }

  private float[] scores(Products products) {
    MemorySegment keys = nextRows();
    for (int p = 0; p < positions; p += MatrixKernels.UNIT) {
      products.compute(keys, p * rowBytes());
      System.arraycopy(partials, 0, scores, p, MatrixKernels.UNIT);
    }
    return scores;
  }
}
