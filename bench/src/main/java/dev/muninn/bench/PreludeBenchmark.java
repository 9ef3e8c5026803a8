package dev.muninn.bench;

import org.openjdk.jmh.annotations.Benchmark;

/** P: embeds tokens and applies the prelude's blocks. */
public class PreludeBenchmark extends RowsBenchmark {

  @Override
  protected Work work() {
    return workOf(rows).prelude();
  }

  @Benchmark
  public void rows() {
    latents.prelude(batch);
  }
}
