package dev.muninn.bench;

import dev.muninn.decode.SequenceForward;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** A prompt at once, up to the logits of its last token. */
@Warmup(iterations = 2, time = 4)
@Measurement(iterations = 3, time = 2)
public class PrefillBenchmark extends SequenceBenchmark {
  private SequenceForward sequence;

  @Override
  protected Work work() {
    return workOf(PROMPT).forward(recurrence);
  }

  /** Not timed. An invocation lasts so long that the clock around it costs nothing. */
  @Setup(Level.Invocation)
  public void open() {
    sequence = emptySequence(PROMPT);
  }

  @TearDown(Level.Invocation)
  public void close() {
    sequence.close();
  }

  @Benchmark
  public float[] prompt() {
    sequence.append(prompt);
    return sequence.logits();
  }
}
