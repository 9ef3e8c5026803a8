package dev.muninn.vector;

import static java.nio.ByteOrder.LITTLE_ENDIAN;

import dev.muninn.kernel.Lanes;
import dev.muninn.kernel.ThreadTeam;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/**
 * Reads on all threads of a team: the least that can be done with a number is to add it up. Each
 * thread has a part of its own.
 */
final class ReadProbe implements AutoCloseable {
  /** What a step reads divides it, and so does a half of a small first-level cache. */
  static final long GRAIN = 16 << 10;

  private final ThreadTeam team;
  private final Arena arena = Arena.ofShared();
  private final MemorySegment[] parts;
  private final int[] results;

  /**
   * A probe that owns memory.
   *
   * @param bytes of all parts together, about
   */
  ReadProbe(ThreadTeam team, long bytes) {
    this.team = team;
    this.parts = new MemorySegment[team.size()];
    this.results = new int[team.size()];
    long part = bytesPerThread(bytes, team.size());
    for (int thread = 0; thread < parts.length; thread++) {
      // Pages that were never written share one page, which is in the cache.
      parts[thread] = arena.allocate(part, 64).fill((byte) 1);
    }
  }

  /** Bytes of one of the parts: rounded down to {@link #GRAIN}, but at least that. */
  static long bytesPerThread(long bytes, int threads) {
    return Math.max(GRAIN, bytes / threads & -GRAIN);
  }

  /** Reads everything so many times. */
  int[] run(int repetitions) {
    team.run(thread -> {
      int sum = 0;
      for (int i = 0; i < repetitions; i++) {
        sum += sum(parts[thread]);
      }
      results[thread] = sum;
    });
    return results;
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

  @Override
  public void close() {
    arena.close();
  }
}
