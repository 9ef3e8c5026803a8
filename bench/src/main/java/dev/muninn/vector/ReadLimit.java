package dev.muninn.vector;

import static java.nio.ByteOrder.LITTLE_ENDIAN;

import dev.muninn.bench.RandomValues;
import dev.muninn.bench.Resource;
import dev.muninn.bench.Work;
import dev.muninn.weights.DType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;

/** How fast this machine reads: the least that can be done with a number is to add it up. */
public class ReadLimit extends TeamBenchmark {
  /** A half of a small first-level cache. */
  private static final long CACHED_BYTES = 16 << 10;

  @Param({"MEMORY", "CACHE"})
  public Resource place;

  private MemorySegment[] parts;
  private int[] results;
  private int repetitions;

  @Override
  protected Work work() {
    return Work.NONE.and(place, (double) threads * repetitions() * partBytes());
  }

  /** What a thread reads, a multiple of what {@link #sum} reads in a step. */
  private long partBytes() {
    return place == Resource.CACHE ? CACHED_BYTES : Rotation.OUT_OF_CACHE / threads & -CACHED_BYTES;
  }

  private int repetitions() {
    return (int) (Rotation.OUT_OF_CACHE / threads / partBytes());
  }

  @Override
  protected void prepare() {
    super.prepare();
    repetitions = repetitions();
    parts = new MemorySegment[threads];
    results = new int[threads];
    for (int thread = 0; thread < threads; thread++) {
      parts[thread] = Arena.ofAuto().allocate(partBytes(), 64);
      RandomValues.fill(parts[thread], DType.F32, 1, thread);
    }
  }

  @Benchmark
  public int[] read() {
    team.run(this::readPart);
    return results;
  }

  private void readPart(int thread) {
    int sum = 0;
    for (int i = 0; i < repetitions; i++) {
      sum += sum(parts[thread]);
    }
    results[thread] = sum;
  }

  /** In four streams, as {@link MatrixKernels} reads, which is faster than one. */
  private static int sum(MemorySegment data) {
    IntVector sum0 = IntVector.zero(Lanes.INTS);
    IntVector sum1 = sum0;
    IntVector sum2 = sum0;
    IntVector sum3 = sum0;
    long quarter = data.byteSize() / 4;
    for (long at = 0; at < quarter; at += 4L * Lanes.COUNT) {
      sum0 = IntVector.fromMemorySegment(Lanes.INTS, data, at, LITTLE_ENDIAN).add(sum0);
      sum1 = IntVector.fromMemorySegment(Lanes.INTS, data, at + quarter, LITTLE_ENDIAN).add(sum1);
      sum2 =
          IntVector.fromMemorySegment(Lanes.INTS, data, at + 2 * quarter, LITTLE_ENDIAN).add(sum2);
      sum3 =
          IntVector.fromMemorySegment(Lanes.INTS, data, at + 3 * quarter, LITTLE_ENDIAN).add(sum3);
    }
    return sum0.add(sum1).add(sum2.add(sum3)).reduceLanes(VectorOperators.ADD);
  }
}
