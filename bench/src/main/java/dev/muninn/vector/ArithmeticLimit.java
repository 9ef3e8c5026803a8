package dev.muninn.vector;

import dev.muninn.bench.Resource;
import dev.muninn.bench.Work;
import org.openjdk.jmh.annotations.Benchmark;

/** How fast this machine multiplies and adds, with nothing to load or store. */
public class ArithmeticLimit extends TeamBenchmark {
  private static final int STEPS = 1 << 20;

  private ArithmeticProbe probe;

  @Override
  protected Work work() {
    return Work.NONE.and(Resource.ARITHMETIC, threads * ArithmeticProbe.operationsPerThread(STEPS));
  }

  @Override
  protected void prepare() {
    super.prepare();
    probe = new ArithmeticProbe(team);
  }

  @Benchmark
  public float[] multiplyAndAdd() {
    return probe.run(STEPS);
  }
}
