package dev.muninn.backend;

import java.util.Optional;

/**
 * Row slots on a device, each with the embedded token e and the latent state s of a row, and the
 * three functions of the model over rows (arXiv 2502.05171, section 3.1). A call may hold rows of
 * several sequences, positions and recurrences; what it computes of a row does not depend on the
 * rows beside it. Not thread-safe.
 */
public abstract class LatentRows implements AutoCloseable {

  /** Number of row slots. */
  public abstract int capacity();

  /** e = P(token): embeds each row's token and stores the prelude's keys and values. */
  public abstract void prelude(RowBatch rows);

  /**
   * s = R(e, s): one application of the recurrent block to each row, at the row's recurrence, whose
   * keys and values are stored in that recurrence's slot.
   *
   * @throws IllegalArgumentException if a recurrence is beyond what a sequence's cache has room for
   */
  public final void recur(RowBatch rows) {
    for (int row = 0; row < rows.size(); row++) {
      rows.sequence(row).recordRecurrence(rows.position(row), rows.recurrence(row));
    }
    applyRecurrentBlock(rows);
  }

  /** R over rows whose depth has been noted in their caches. */
  protected abstract void applyRecurrentBlock(RowBatch rows);

  /**
   * logits = C(s): stores the coda's keys and values of every row, and computes the logits of those
   * rows that want them, to be read by {@link #readLogits} until the next call of this method.
   */
  public abstract void coda(RowBatch rows);

  /** Copies the logits of a row of the last coda call, [vocabulary]. */
  public abstract void readLogits(int row, float[] logits);

  /** Copies a slot's embedded token e, [h]. */
  public abstract void readEmbedding(int slot, float[] embedding);

  /** Sets a slot's embedded token e, [h]. */
  public abstract void writeEmbedding(int slot, float[] embedding);

  /** Copies a slot's latent state s, [h]. */
  public abstract void readLatent(int slot, float[] latent);

  /** Copies ln_f(s) of a slot, [h]. */
  public abstract void readNormedLatent(int slot, float[] latent);

  /** Sets a slot's latent state s, [h]. */
  public abstract void writeLatent(int slot, float[] latent);

  /** Compares states where they are; empty where reading them costs next to nothing. */
  public Optional<LatentComparison> comparison() {
    return Optional.empty();
  }

  /** Compares logits where they are; empty where reading them costs next to nothing. */
  public Optional<LogitComparison> logitComparison() {
    return Optional.empty();
  }

  @Override
  public abstract void close();
}
