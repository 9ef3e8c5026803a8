package dev.muninn.bench;

import dev.muninn.cache.KeyValueLayout;
import dev.muninn.cache.SequenceCache;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;

/** Room for the keys and values of a sequence, and taking positions back. */
public class CacheBenchmark extends ModelBenchmark {
  private static final int RECURRENCE = 32;

  @Param({"256", "4096"})
  public int positions;

  private KeyValueLayout layout;
  private SequenceCache cache;

  @Override
  protected Work work() {
    return Work.NONE;
  }

  @Override
  protected void prepare() {
    super.prepare();
    layout = layout(RECURRENCE, positions);
    cache = allocated();
  }

  private SequenceCache allocated() {
    return new SequenceCache(layout, backend.allocate(layout));
  }

  @Override
  protected void release() {
    cache.close();
    super.release();
  }

  /** From nothing to room for all positions, and back. */
  @Benchmark
  public void allocateAndClose() {
    allocated().close();
  }

  /** The last of all positions is taken back and recorded again. */
  @Benchmark
  public int truncateAndRecord() {
    cache.recordRecurrence(positions - 1, RECURRENCE - 1);
    cache.truncate(positions - 1);
    return cache.depth(0);
  }
}
