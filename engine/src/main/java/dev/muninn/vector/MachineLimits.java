package dev.muninn.vector;

import dev.muninn.backend.DeviceLimits;
import dev.muninn.kernel.ThreadTeam;
import java.util.function.LongSupplier;

/**
 * Measures what this machine reaches. A model that decodes is bound by reading, one that takes in a
 * prompt by arithmetic.
 */
final class MachineLimits {
  /** More than the last-level caches of most machines hold. */
  static final long OUT_OF_CACHE = 512L << 20;

  private static final int SHORT_CHAIN = 1 << 14;
  private static final int LONG_CHAIN = 1 << 20;
  private static final long WARM_UP_NANOS = 400_000_000;
  private static final long MEASURED_NANOS = 400_000_000;

  private MachineLimits() {}

  /**
   * Reads memory, multiplies and adds by a number of threads, a fused operation counting as two.
   * Takes about two seconds, and 512 MB of memory meanwhile.
   */
  static DeviceLimits measure(int threads) {
    try (ThreadTeam team = new ThreadTeam(threads)) {
      ArithmeticProbe arithmetic = new ArithmeticProbe(team);
      best(WARM_UP_NANOS, () -> nanos(() -> arithmetic.run(SHORT_CHAIN)));
      long chain = best(MEASURED_NANOS, () -> nanos(() -> arithmetic.run(LONG_CHAIN)));
      // A pass through much memory is one call: few of them, and the loop is never compiled whole.
      try (ReadProbe little = new ReadProbe(team, 0)) {
        best(WARM_UP_NANOS, () -> nanos(() -> little.run(SHORT_CHAIN >> 8)));
      }
      try (ReadProbe read = new ReadProbe(team, OUT_OF_CACHE)) {
        long pass = best(MEASURED_NANOS, () -> nanos(() -> read.run(1)));
        double operations = threads * ArithmeticProbe.operationsPerThread(LONG_CHAIN);
        return new DeviceLimits(
            1e9 * threads * ReadProbe.bytesPerThread(OUT_OF_CACHE, threads) / pass,
            1e9 * operations / chain);
      }
    }
  }

  private static long nanos(Runnable work) {
    long began = System.nanoTime();
    work.run();
    return System.nanoTime() - began;
  }

  /** The shortest of the times that fit into a span, at least three of them. */
  private static long best(long span, LongSupplier time) {
    long began = System.nanoTime();
    long best = Long.MAX_VALUE;
    for (int i = 0; i < 3 || System.nanoTime() - began < span; i++) {
      best = Math.min(best, time.getAsLong());
    }
    return best;
  }
}
