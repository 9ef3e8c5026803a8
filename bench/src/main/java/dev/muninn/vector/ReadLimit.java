package dev.muninn.vector;

import dev.muninn.bench.Resource;
import dev.muninn.bench.Work;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;

/** How fast this machine reads. */
public class ReadLimit extends TeamBenchmark {
  @Param({"MEMORY", "CACHE"})
  public Resource place;

  private ReadProbe probe;

  @Override
  protected Work work() {
    return Work.NONE.and(place, (double) threads * repetitions() * partBytes());
  }

  private long partBytes() {
    return ReadProbe.bytesPerThread(
        place == Resource.CACHE ? 0 : MachineLimits.OUT_OF_CACHE, threads);
  }

  /** An invocation reads as much from the cache as from memory. */
  private int repetitions() {
    return (int) (MachineLimits.OUT_OF_CACHE / threads / partBytes());
  }

  @Override
  protected void prepare() {
    super.prepare();
    probe = new ReadProbe(team, threads * partBytes());
  }

  @Override
  protected void release() {
    probe.close();
    super.release();
  }

  @Benchmark
  public int[] read() {
    return probe.run(repetitions());
  }
}
