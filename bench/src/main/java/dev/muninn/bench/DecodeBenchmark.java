package dev.muninn.bench;

import dev.muninn.decode.Sampler;
import dev.muninn.decode.SamplingOptions;
import dev.muninn.decode.SequenceForward;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.Setup;

/** One token after another behind a prompt, greedily; the time of each is a sample. */
@BenchmarkMode(Mode.SampleTime)
public class DecodeBenchmark extends SequenceBenchmark {
  private SequenceForward sequence;
  private Sampler sampler;

  @Override
  protected Work work() {
    return workOf(1).forward(recurrence);
  }

  @Override
  protected void prepare() {
    super.prepare();
    sampler = new Sampler(SamplingOptions.greedy(), model.vocabularySize());
    start();
  }

  /** Not timed. Begins again where the context is full, so that any number of tokens fit. */
  @Setup(Level.Invocation)
  public void makeRoom() {
    if (sequence.length() == 2 * PROMPT) {
      sequence.close();
      start();
    }
  }

  private void start() {
    sequence = emptySequence(2 * PROMPT);
    sequence.append(prompt);
  }

  @Override
  protected void release() {
    sequence.close();
    super.release();
  }

  @Benchmark
  public int token() {
    int token = sampler.sample(sequence.logits());
    sequence.append(token);
    return token;
  }
}
