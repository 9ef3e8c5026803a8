package dev.muninn.bench;

import org.openjdk.jmh.annotations.Benchmark;

/** R: one application of the recurrent block. */
public class RecurrenceBenchmark extends RowsBenchmark {

  @Override
  protected Work work() {
    return workOf(rows).recurrence();
  }

  @Benchmark
  public void rows() {
    latents.recur(batch);
  }
}
