package dev.muninn.bench;

import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * The base of all benchmarks: the JVM they run in, how long, and that they declare the work of an
 * operation, from which {@link RateProfiler} computes rates.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(
    value = 1,
    jvmArgsAppend = {
      "--add-modules=jdk.incubator.vector",
      "--enable-native-access=ALL-UNNAMED",
      // JMH itself still needs it.
      "--sun-misc-unsafe-memory-access=allow"
    })
@Warmup(iterations = 4, time = 1)
@Measurement(iterations = 6, time = 1)
public abstract class WorkBenchmark {

  /** The work of one operation, for the parameters that are set. */
  protected abstract Work work();

  /**
   * Makes what the benchmark needs. One method that calls its super, since JMH does not promise to
   * run the set-up methods of a superclass first.
   */
  protected void prepare() {}

  /** Closes what {@link #prepare} opened. */
  protected void release() {}

  @Setup(Level.Trial)
  public final void beginTrial() {
    RateProfiler.declare(work());
    prepare();
  }

  @TearDown(Level.Trial)
  public final void endTrial() {
    release();
  }
}
