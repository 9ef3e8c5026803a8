package dev.muninn.bench;

import org.openjdk.jmh.annotations.Benchmark;

/** C: the coda's blocks and the logits of the last row. */
public class CodaBenchmark extends RowsBenchmark {

  @Override
  protected Work work() {
    return workOf(rows).coda();
  }

  @Benchmark
  public void rows() {
    latents.coda(batch);
  }
}
