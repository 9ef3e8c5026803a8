package dev.muninn.bench;

import dev.muninn.decode.InitialState;
import dev.muninn.decode.SequenceForward;
import dev.muninn.measure.RandomValues;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;

/** A sequence that begins with a prompt. */
@OutputTimeUnit(TimeUnit.MILLISECONDS)
public abstract class SequenceBenchmark extends ModelBenchmark {
  static final int PROMPT = 128;

  @Param("32")
  public int recurrence;

  int[] prompt;

  @Override
  protected void prepare() {
    super.prepare();
    prompt = RandomValues.tokens(PROMPT, model.vocabularySize(), 0);
  }

  SequenceForward emptySequence(int capacity) {
    return new SequenceForward(
        backend,
        layout(recurrence, capacity),
        recurrence,
        PROMPT,
        InitialState.zero(),
        () -> false);
  }
}
