package dev.muninn.decode;

import dev.muninn.backend.LatentRows;
import dev.muninn.backend.RowBatch;
import java.util.function.BooleanSupplier;

/**
 * The depth loop over rows: {@code e = P(x)}, {@code s_0}, then {@code s_i = R(e, s_{i-1})} again
 * and again, and {@code C(s_r)}. Every strategy computes through it; none calls P, R or C by
 * itself. Rows may be of several sequences, positions and depths. Allocates nothing after
 * construction. Not thread-safe.
 */
final class DepthLoop implements AutoCloseable {

  /** Hears of each application of the recurrent block. */
  @FunctionalInterface
  interface Watcher {
    /** Every row of the batch has made one more recurrence. */
    void recurred(RowBatch batch);
  }

  private static final BooleanSupplier NEVER = () -> false;
  private static final Watcher NOBODY = batch -> {};

  private LatentRows rows;
  private final float[] latent;
  private long corePasses;
  private long coreRows;

  /**
   * A loop over row slots.
   *
   * @param rows closed with the loop
   * @param width of a latent state
   */
  DepthLoop(LatentRows rows, int width) {
    this.rows = rows;
    this.latent = new float[width];
  }

  /** Where the rows' states and logits are read. */
  LatentRows rows() {
    return rows;
  }

  /** Goes on with other row slots, into which the rows in flight have been copied. */
  void replaceRows(LatentRows others) {
    rows.close();
    rows = others;
  }

  /** Width of a latent state, h. */
  int width() {
    return latent.length;
  }

  /** Room for one latent state, [h]; everything that shares the loop shares it. */
  float[] latent() {
    return latent;
  }

  /** Calls of the recurrent block so far. */
  long corePasses() {
    return corePasses;
  }

  /** Rows in those calls. */
  long coreRows() {
    return coreRows;
  }

  /** P over the batch; start states are yet to be set. */
  void embed(RowBatch batch) {
    if (batch.size() > 0) {
      rows.prelude(batch);
    }
  }

  /** Sets the start state of a row that is embedded, and leaves it in {@link #latent}. */
  void start(InitialStates states, int slot, int position) {
    states.begin(rows, slot, position, latent);
  }

  /** P over the batch, and the start state of each of its rows. */
  void begin(RowBatch batch, InitialStates states) {
    embed(batch);
    for (int row = 0; row < batch.size(); row++) {
      start(states, batch.slot(row), batch.position(row));
    }
  }

  /** R once over the batch: each of its rows is one recurrence deeper then. */
  void recur(RowBatch batch) {
    recur(batch, 1, NEVER, NOBODY);
  }

  /**
   * R over the batch a number of times.
   *
   * @param cancelled asked before each application
   * @return false if it was cancelled
   */
  boolean recur(RowBatch batch, int times, BooleanSupplier cancelled, Watcher watcher) {
    for (int i = 0; i < times; i++) {
      if (cancelled.getAsBoolean()) {
        return false;
      }
      rows.recur(batch);
      corePasses++;
      coreRows += batch.size();
      batch.deepen();
      watcher.recurred(batch);
    }
    return true;
  }

  /** C over the batch. */
  void readOut(RowBatch batch) {
    if (batch.size() > 0) {
      rows.coda(batch);
    }
  }

  @Override
  public void close() {
    rows.close();
  }
}
