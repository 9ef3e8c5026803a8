package dev.muninn.bench;

import dev.muninn.cache.KeyValueLayout;
import dev.muninn.cache.KeyValueType;
import dev.muninn.cache.SlotPolicy;
import dev.muninn.decode.InitialState;
import dev.muninn.decode.SequenceForward;
import dev.muninn.measure.ForwardCost;
import dev.muninn.measure.RandomValues;
import dev.muninn.weights.DType;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Setup;

/**
 * A token behind a long context, whose keys and values it reads at every recurrence. The policy
 * decides how many different ones there are.
 */
@BenchmarkMode(Mode.SampleTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
public class CachePolicyBenchmark extends ModelBenchmark {
  private static final int CONTEXT = 1024;
  private static final int RECURRENCE = 4;
  private static final int ROOM = 64;

  @Param({"full", "budget:1"})
  public String policy;

  @Param({"BF16", "F32"})
  public KeyValueType stored;

  private SequenceForward sequence;
  private int[] context;

  /** As much of it as the model has positions for. */
  private int contextLength() {
    return Math.min(CONTEXT, shape.model(DType.F32).contextLength() - ROOM);
  }

  @Override
  protected Work work() {
    ForwardCost cost = ForwardCost.of(shape.model(dtype));
    double read = cost.keyValueBytes(contextLength(), stored.bytes());
    return workOf(1)
        .forward(RECURRENCE)
        .and(Resource.MEMORY, read * shape.model(DType.F32).effectiveDepth(RECURRENCE));
  }

  @Override
  protected void prepare() {
    super.prepare();
    context = RandomValues.tokens(contextLength(), model.vocabularySize(), 0);
    start();
  }

  private void start() {
    KeyValueLayout layout =
        new KeyValueLayout(
            model, SlotPolicy.parse(policy), RECURRENCE, contextLength() + ROOM, stored);
    sequence =
        new SequenceForward(backend, layout, RECURRENCE, 128, InitialState.zero(), () -> false);
    sequence.append(context);
  }

  /** Not timed. */
  @Setup(Level.Invocation)
  public void makeRoom() {
    if (sequence.length() == contextLength() + ROOM) {
      sequence.close();
      start();
    }
  }

  @Override
  protected void release() {
    sequence.close();
    super.release();
  }

  @Benchmark
  public float[] token() {
    sequence.append(context[0]);
    return sequence.logits();
  }
}
