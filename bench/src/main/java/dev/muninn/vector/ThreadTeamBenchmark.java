package dev.muninn.vector;

import dev.muninn.bench.Work;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.OperationsPerInvocation;

/** The cost for threads of beginning and ending a task together, and of meeting in between. */
public class ThreadTeamBenchmark extends TeamBenchmark {
  private static final int BARRIERS = 1000;

  @Override
  protected Work work() {
    return Work.NONE;
  }

  @Benchmark
  public void emptyRound() {
    team.run(thread -> {});
  }

  @Benchmark
  @OperationsPerInvocation(BARRIERS)
  public void barrier() {
    team.run(this::meet);
  }

  private void meet(int thread) {
    for (int i = 0; i < BARRIERS; i++) {
      team.barrier();
    }
  }
}
