package dev.muninn.vector;

import dev.muninn.bench.Work;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.OperationsPerInvocation;

/** What it costs threads to begin and end a task together, and to meet in between. */
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
