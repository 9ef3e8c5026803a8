package dev.muninn.bench;

import dev.muninn.backend.LatentRows;
import dev.muninn.backend.RowBatch;
import dev.muninn.cache.KeyValueLayout;
import dev.muninn.cache.SequenceCache;
import dev.muninn.decode.InitialState;
import dev.muninn.decode.InitialStates;
import dev.muninn.measure.RandomValues;
import org.openjdk.jmh.annotations.Param;

/**
 * Rows of one sequence behind a context, all at recurrence 0. P, R and C may be applied to them any
 * number of times: each stores its keys and values in the same place, and the norms keep s in
 * bounds however often R is applied.
 */
public abstract class RowsBenchmark extends ModelBenchmark {
  private static final int CONTEXT = 128;

  @Param({"1", "4", "8", "128"})
  public int rows;

  LatentRows latents;
  RowBatch batch;
  private SequenceCache cache;

  @Override
  protected void prepare() {
    super.prepare();
    KeyValueLayout layout = layout(1, CONTEXT + rows);
    cache = new SequenceCache(layout, backend.allocate(layout));
    latents = backend.rows(Math.max(CONTEXT, rows));
    batch = new RowBatch(latents.capacity());
    compute(0, CONTEXT);
    compute(CONTEXT, rows);
  }

  private void compute(int from, int count) {
    int[] tokens = RandomValues.tokens(count, model.vocabularySize(), from);
    InitialStates states = new InitialStates(InitialState.random(0), model.core().start());
    float[] state = new float[model.width()];
    batch.clear();
    for (int row = 0; row < count; row++) {
      batch.add(row, cache, from + row, tokens[row]);
      states.fill(from + row, state);
      latents.writeLatent(row, state);
    }
    batch.setLogits(count - 1, true);
    latents.prelude(batch);
    latents.recur(batch);
    latents.coda(batch);
  }

  @Override
  protected void release() {
    latents.close();
    cache.close();
    super.release();
  }
}
