package dev.muninn.backend;

import dev.muninn.cache.SequenceCache;

/**
 * The rows of one call of P, R or C. A row is one position of one sequence, at its own recurrence,
 * and lives in a row slot of {@link LatentRows}. Rows of one sequence are in ascending order of
 * position. Filled again for every use; allocates nothing after construction. Not thread-safe.
 */
public final class RowBatch {
  private final int[] slot;
  private final SequenceCache[] sequence;
  private final int[] position;
  private final int[] token;
  private final int[] recurrence;
  private final boolean[] logits;
  private final int[] place;
  private final boolean[] likelyOnly;
  private int size;

  /** A batch of up to {@code capacity} rows. */
  public RowBatch(int capacity) {
    slot = new int[capacity];
    sequence = new SequenceCache[capacity];
    position = new int[capacity];
    token = new int[capacity];
    recurrence = new int[capacity];
    logits = new boolean[capacity];
    place = new int[capacity];
    likelyOnly = new boolean[capacity];
  }

  /** Removes all rows. */
  public void clear() {
    size = 0;
  }

  /**
   * Adds a row at recurrence 0, without logits.
   *
   * @param slot its row slot
   * @param sequence the sequence it belongs to
   * @param position its position, below the sequence's capacity
   * @param token the token at that position
   */
  public void add(int slot, SequenceCache sequence, int position, int token) {
    this.slot[size] = slot;
    this.sequence[size] = sequence;
    this.position[size] = position;
    this.token[size] = token;
    this.recurrence[size] = 0;
    this.logits[size] = false;
    this.place[size] = -1;
    size++;
  }

  public int size() {
    return size;
  }

  public int capacity() {
    return slot.length;
  }

  public int slot(int row) {
    return slot[row];
  }

  public SequenceCache sequence(int row) {
    return sequence[row];
  }

  public int position(int row) {
    return position[row];
  }

  public int token(int row) {
    return token[row];
  }

  /** The recurrence that the next R makes of this row, from 0. */
  public int recurrence(int row) {
    return recurrence[row];
  }

  public void setRecurrence(int row, int recurrence) {
    this.recurrence[row] = recurrence;
  }

  /** Counts one recurrence more of every row. */
  public void deepen() {
    for (int row = 0; row < size; row++) {
      recurrence[row]++;
    }
  }

  /** Whether C computes this row's logits, or only its keys and values. */
  public boolean logits(int row) {
    return logits[row];
  }

  public void setLogits(int row, boolean logits) {
    this.logits[row] = logits;
  }

  /** The place of {@link LogitComparison} that C compares this row's logits with, or -1. */
  public int place(int row) {
    return place[row];
  }

  /** Whether the comparison counts likely tokens only. */
  public boolean likelyOnly(int row) {
    return likelyOnly[row];
  }

  /**
   * Has C compare a row that wants logits with what is kept in a place of {@link LogitComparison},
   * and keep it there. A batch has a place once at most.
   *
   * @param likelyOnly whether tokens below a tenth of the likeliest count as {@code 1 / vocabulary}
   *     each, and all are normalised again
   */
  public void setCompared(int row, int place, boolean likelyOnly) {
    this.place[row] = place;
    this.likelyOnly[row] = likelyOnly;
  }
}
