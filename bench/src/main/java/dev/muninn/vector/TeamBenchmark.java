package dev.muninn.vector;

import dev.muninn.bench.WorkBenchmark;
import dev.muninn.kernel.ThreadTeam;
import org.openjdk.jmh.annotations.Param;

/** Something that a thread team runs. */
public abstract class TeamBenchmark extends WorkBenchmark {
  @Param({"1", "2"})
  public int threads;

  ThreadTeam team;

  @Override
  protected void prepare() {
    team = new ThreadTeam(threads);
  }

  @Override
  protected void release() {
    team.close();
  }
}
