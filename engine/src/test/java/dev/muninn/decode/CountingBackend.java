package dev.muninn.decode;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.backend.Backend;
import dev.muninn.backend.ComputeDevice;
import dev.muninn.backend.DeviceLimits;
import dev.muninn.backend.LatentComparison;
import dev.muninn.backend.LatentRows;
import dev.muninn.backend.LogitComparison;
import dev.muninn.backend.RowBatch;
import dev.muninn.cache.KeyValueLayout;
import dev.muninn.cache.KeyValueStore;
import dev.muninn.cache.SequenceCache;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A backend behind which another computes: counts the rows of every call, looks at their order, and
 * keeps the logits that were read last; on request also what is read from and written to row slots.
 */
final class CountingBackend implements Backend {
  /** What was done to a slot. */
  enum Access {
    READ_EMBEDDING,
    WRITE_EMBEDDING,
    READ_LATENT,
    WRITE_LATENT
  }

  /** An access to a slot, and the values that were read or written. */
  record SlotAccess(Access access, int slot, float[] values) {}

  /** Accesses in their order, if they are kept. */
  final List<SlotAccess> accesses = new ArrayList<>();

  private boolean keepsAccesses;
  private boolean compares;
  private PlainLogitComparison logitComparison;
  private final Backend backend;
  private final List<SequenceCache> stores = new ArrayList<>();
  private float[] lastLogits = new float[0];
  private int openRows;
  long preludeRows;

  /** Of them, those for which P had been applied to the same tokens before. */
  long preludeRowsAgain;

  long corePasses;
  long coreRows;
  int mostCoreRows;
  long codaRows;
  long logitsRead;

  private final int width;

  /** Behind a backend of states of this width. */
  CountingBackend(Backend backend, int width) {
    this.backend = backend;
    this.width = width;
  }

  /** Begins to count anew. */
  void reset() {
    stores.clear();
    preludeRows = 0;
    preludeRowsAgain = 0;
    corePasses = 0;
    coreRows = 0;
    mostCoreRows = 0;
    codaRows = 0;
    logitsRead = 0;
  }

  /** Keeps accesses to slots from now on. */
  void keepAccesses() {
    accesses.clear();
    keepsAccesses = true;
  }

  /** Compares states like a device, in sums of floats, or leaves that to the criteria. */
  void compareStates(boolean compares) {
    this.compares = compares;
  }

  /** Compares logits like a device; null leaves that to the criteria. */
  void compareLogits(PlainLogitComparison comparison) {
    logitComparison = comparison;
  }

  private void note(Access access, int slot, float[] values) {
    if (keepsAccesses) {
      accesses.add(new SlotAccess(access, slot, values.clone()));
    }
  }

  float[] lastLogits() {
    return lastLogits;
  }

  /** Asserts that all row slots have been freed, and all stores since the last reset. */
  void assertAllFreed() {
    assertEquals(0, openRows, "row slots that were not closed");
    RowBatch batch = new RowBatch(1);
    try (LatentRows rows = backend.rows(1)) {
      for (SequenceCache store : stores) {
        batch.clear();
        batch.add(0, store, 0, 0);
        assertThrows(
            IllegalStateException.class,
            () -> rows.prelude(batch),
            "a store that was not closed can be written to");
      }
    }
  }

  @Override
  public ComputeDevice device() {
    return backend.device();
  }

  @Override
  public String description() {
    return backend.description();
  }

  @Override
  public DeviceLimits measureLimits() {
    return backend.measureLimits();
  }

  @Override
  public KeyValueStore allocate(KeyValueLayout layout) {
    KeyValueStore store = backend.allocate(layout);
    stores.add(new SequenceCache(layout, store));
    return store;
  }

  @Override
  public LatentRows rows(int capacity) {
    openRows++;
    return new CountingRows(backend.rows(capacity));
  }

  @Override
  public void close() {
    backend.close();
  }

  private final class CountingRows extends LatentRows {
    private final LatentRows rows;

    /** What a slot's embedding is of; none when P has embedded an earlier position since then. */
    private final Embedded[] embedded;

    /** Slots whose embedding came from another workspace. */
    private final boolean[] moved;

    private record Embedded(SequenceCache sequence, int position, int token) {}

    CountingRows(LatentRows rows) {
      this.rows = rows;
      this.embedded = new Embedded[rows.capacity()];
      this.moved = new boolean[rows.capacity()];
    }

    private Embedded embedded(RowBatch batch, int row) {
      return new Embedded(batch.sequence(row), batch.position(row), batch.token(row));
    }

    private void embed(RowBatch batch) {
      for (int row = 0; row < batch.size(); row++) {
        if (embedded(batch, row).equals(embedded[batch.slot(row)])) {
          preludeRowsAgain++;
        }
        for (int slot = 0; slot < embedded.length; slot++) {
          Embedded other = embedded[slot];
          if (other != null
              && other.sequence() == batch.sequence(row)
              && other.position() > batch.position(row)) {
            embedded[slot] = null;
          }
        }
        embedded[batch.slot(row)] = embedded(batch, row);
        moved[batch.slot(row)] = false;
      }
    }

    /** A slot serves one row, and the rows of a sequence ascend without a gap in what is read. */
    private void inspect(RowBatch batch) {
      boolean[] taken = new boolean[capacity()];
      for (int row = 0; row < batch.size(); row++) {
        assertFalse(taken[batch.slot(row)], "two rows in one slot");
        taken[batch.slot(row)] = true;
        for (int other = 0; other < row; other++) {
          if (batch.sequence(other) == batch.sequence(row)) {
            assertTrue(batch.position(other) < batch.position(row), "positions do not ascend");
          }
        }
      }
    }

    @Override
    public int capacity() {
      return rows.capacity();
    }

    @Override
    public void prelude(RowBatch batch) {
      inspect(batch);
      preludeRows += batch.size();
      embed(batch);
      rows.prelude(batch);
    }

    @Override
    protected void applyRecurrentBlock(RowBatch batch) {
      inspect(batch);
      for (int row = 0; row < batch.size(); row++) {
        int slot = batch.slot(row);
        if (!moved[slot]) {
          assertEquals(embedded(batch, row), embedded[slot], "the token has changed");
        }
      }
      corePasses++;
      coreRows += batch.size();
      mostCoreRows = Math.max(mostCoreRows, batch.size());
      rows.recur(batch);
    }

    @Override
    public void coda(RowBatch batch) {
      inspect(batch);
      codaRows += batch.size();
      rows.coda(batch);
      if (logitComparison != null) {
        logitComparison.compare(batch, rows);
      }
    }

    @Override
    public void readLogits(int row, float[] logits) {
      rows.readLogits(row, logits);
      logitsRead++;
      if (lastLogits.length != logits.length) {
        lastLogits = new float[logits.length];
      }
      System.arraycopy(logits, 0, lastLogits, 0, logits.length);
    }

    @Override
    public void readEmbedding(int slot, float[] embedding) {
      rows.readEmbedding(slot, embedding);
      note(Access.READ_EMBEDDING, slot, embedding);
    }

    @Override
    public void writeEmbedding(int slot, float[] embedding) {
      note(Access.WRITE_EMBEDDING, slot, embedding);
      moved[slot] = true;
      rows.writeEmbedding(slot, embedding);
    }

    @Override
    public void readLatent(int slot, float[] latent) {
      rows.readLatent(slot, latent);
      note(Access.READ_LATENT, slot, latent);
    }

    @Override
    public void readNormedLatent(int slot, float[] latent) {
      rows.readNormedLatent(slot, latent);
    }

    @Override
    public void writeLatent(int slot, float[] latent) {
      note(Access.WRITE_LATENT, slot, latent);
      rows.writeLatent(slot, latent);
    }

    @Override
    public Optional<LogitComparison> logitComparison() {
      return Optional.ofNullable(logitComparison);
    }

    @Override
    public Optional<LatentComparison> comparison() {
      return compares ? Optional.of(comparison) : Optional.empty();
    }

    private final LatentComparison comparison =
        new LatentComparison() {
          private final Map<Integer, float[]> kept = new HashMap<>();

          private float[] state(int slot) {
            float[] state = new float[width];
            rows.readLatent(slot, state);
            return state;
          }

          @Override
          public void keep(int[] slots, int count) {
            for (int i = 0; i < count; i++) {
              kept.put(slots[i], state(slots[i]));
            }
          }

          @Override
          public void compare(int[] slots, int count, float[] sums) {
            for (int i = 0; i < count; i++) {
              float[] state = state(slots[i]);
              float[] before = kept.put(slots[i], state);
              int from = i * SUMS;
              Arrays.fill(sums, from, from + SUMS, 0);
              for (int j = 0; j < width; j++) {
                float change = state[j] - before[j];
                sums[from + CHANGE] += change * change;
                sums[from + GROWTH] += change * (state[j] + before[j]);
                sums[from + SQUARE] += state[j] * state[j];
              }
            }
          }

          @Override
          public void readKept(int slot, float[] latent) {
            System.arraycopy(kept.get(slot), 0, latent, 0, width);
          }
        };

    @Override
    public void close() {
      openRows--;
      rows.close();
    }
  }
}
