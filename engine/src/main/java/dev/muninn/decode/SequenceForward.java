package dev.muninn.decode;

import dev.muninn.backend.Backend;
import dev.muninn.backend.RowBatch;
import dev.muninn.cache.KeyValueLayout;
import dev.muninn.cache.SequenceCache;
import java.util.function.BooleanSupplier;

/**
 * One sequence that grows: each call appends tokens and computes them at r recurrences, with the
 * keys and values of those before from the cache. Not thread-safe.
 */
public final class SequenceForward implements AutoCloseable {
  /** Most rows in flight: more gain nothing, and their latents would take memory. */
  static final int MAXIMUM_ROWS = 256;

  /** Gets the logits of one position, [vocabulary], valid during the call. */
  @FunctionalInterface
  public interface LogitsConsumer {
    void accept(int position, float[] logits);
  }

  /**
   * Gets the latent state s_i of one position, [h], valid during the call. Recurrence 0 is the
   * initial state.
   */
  @FunctionalInterface
  public interface LatentConsumer {
    void accept(int position, int recurrence, float[] latent);
  }

  private final int recurrence;
  private final InitialStates initialStates;
  private final BooleanSupplier cancelled;
  private final SequenceCache cache;
  private final DepthLoop loop;
  private final boolean ownsLoop;
  private final boolean ownsCache;
  private final RowBatch batch;
  private final float[] logits;
  private int length;
  private LatentConsumer latents;
  private final DepthLoop.Watcher showing = this::showLatents;

  /**
   * An empty sequence.
   *
   * @param layout room for its keys and values; its recurrences are the most that can be asked for
   * @param recurrence applications of the recurrent block to each position
   * @param mostRows rows that are usually appended at once
   * @param cancelled asked before each application of the recurrent block
   */
  public SequenceForward(
      Backend backend,
      KeyValueLayout layout,
      int recurrence,
      int mostRows,
      InitialState initialState,
      BooleanSupplier cancelled) {
    this(
        new DepthLoop(backend.rows(Math.min(mostRows, MAXIMUM_ROWS)), layout.model().width()),
        new SequenceCache(layout, backend.allocate(layout)),
        true,
        true,
        recurrence,
        new InitialStates(initialState, layout.model().core().start()),
        cancelled);
  }

  private SequenceForward(
      DepthLoop loop,
      SequenceCache cache,
      boolean ownsLoop,
      boolean ownsCache,
      int recurrence,
      InitialStates initialStates,
      BooleanSupplier cancelled) {
    this.loop = loop;
    this.cache = cache;
    this.ownsLoop = ownsLoop;
    this.ownsCache = ownsCache;
    this.recurrence = recurrence;
    this.initialStates = initialStates;
    this.cancelled = cancelled;
    this.batch = new RowBatch(loop.rows().capacity());
    this.logits = new float[cache.layout().model().vocabularySize()];
  }

  /** An empty sequence on a loop and a cache that the caller owns and closes. */
  static SequenceForward sharing(
      DepthLoop loop,
      SequenceCache cache,
      int recurrence,
      InitialStates initialStates,
      BooleanSupplier cancelled) {
    return new SequenceForward(loop, cache, false, false, recurrence, initialStates, cancelled);
  }

  /** A sequence whose first positions are computed, on its own loop and the caller's cache. */
  static SequenceForward continuing(
      DepthLoop loop,
      SequenceCache cache,
      int length,
      int recurrence,
      InitialStates initialStates,
      BooleanSupplier cancelled) {
    SequenceForward sequence =
        new SequenceForward(loop, cache, true, false, recurrence, initialStates, cancelled);
    sequence.length = length;
    return sequence;
  }

  /** Makes a consumer see every latent state of what is appended from now on. */
  public void watchLatents(LatentConsumer latents) {
    this.latents = latents;
  }

  /** Positions computed so far. */
  public int length() {
    return length;
  }

  /** Calls of the recurrent block so far. */
  long corePasses() {
    return loop.corePasses();
  }

  /** Rows in those calls. */
  long coreRows() {
    return loop.coreRows();
  }

  /**
   * Appends tokens and computes the logits of the last.
   *
   * @return false if it was cancelled; the sequence is then of no further use
   */
  public boolean append(int[] tokens) {
    return append(tokens, tokens.length - 1, (position, ignored) -> {});
  }

  /**
   * Appends tokens and computes the logits of those from an index on.
   *
   * @return false if it was cancelled; the sequence is then of no further use
   */
  public boolean append(int[] tokens, int firstLogits, LogitsConsumer consumer) {
    for (int from = 0; from < tokens.length; from += batch.capacity()) {
      int to = Math.min(tokens.length, from + batch.capacity());
      batch.clear();
      for (int i = from; i < to; i++) {
        batch.add(i - from, cache, length + i - from, tokens[i]);
        batch.setLogits(i - from, i >= firstLogits);
      }
      if (!compute()) {
        return false;
      }
      for (int i = Math.max(from, firstLogits); i < to; i++) {
        loop.rows().readLogits(i - from, logits);
        consumer.accept(length + i - from, logits);
      }
      length += to - from;
    }
    return true;
  }

  /**
   * Appends one token and computes its logits.
   *
   * @return false if it was cancelled; the sequence is then of no further use
   */
  public boolean append(int token) {
    batch.clear();
    batch.add(0, cache, length, token);
    batch.setLogits(0, true);
    if (!compute()) {
      return false;
    }
    loop.rows().readLogits(0, logits);
    length++;
    return true;
  }

  private boolean compute() {
    begin();
    if (!recur(recurrence)) {
      return false;
    }
    loop.readOut(batch);
    return true;
  }

  private void begin() {
    loop.begin(batch, initialStates);
    showLatents(batch);
  }

  private boolean recur(int times) {
    return loop.recur(batch, times, cancelled, showing);
  }

  private void showLatents(RowBatch shown) {
    if (latents == null) {
      return;
    }
    for (int row = 0; row < shown.size(); row++) {
      loop.rows().readLatent(shown.slot(row), loop.latent());
      latents.accept(shown.position(row), shown.recurrence(row), loop.latent());
    }
  }

  /**
   * Computes the logits of a token behind the sequence at few recurrences, without appending it.
   *
   * @param index how many tokens were drafted since the sequence last grew, below the most rows
   * @return false if it was cancelled; the sequence is then of no further use
   */
  boolean draft(int index, int token, int draftRecurrence) {
    batch.clear();
    batch.add(index, cache, length + index, token);
    batch.setLogits(0, true);
    begin();
    if (!recur(draftRecurrence)) {
      return false;
    }
    loop.readOut(batch);
    loop.rows().readLogits(0, logits);
    return true;
  }

  /**
   * Brings the drafted tokens to all recurrences. What the drafts computed is what these rows would
   * compute anew, as long as every recurrence has a slot of its own, so they go on from there.
   *
   * @return false if it was cancelled; the sequence is then of no further use
   */
  boolean verify(int[] tokens, int count, int draftRecurrence) {
    batch.clear();
    for (int index = 0; index < count; index++) {
      batch.add(index, cache, length + index, tokens[index]);
      batch.setRecurrence(index, draftRecurrence);
      batch.setLogits(index, true);
    }
    if (!recur(recurrence - draftRecurrence)) {
      return false;
    }
    loop.readOut(batch);
    return true;
  }

  /** Reads the logits of a verified token. */
  float[] verifiedLogits(int index) {
    loop.rows().readLogits(index, logits);
    return logits;
  }

  /** Appends the first of the verified tokens and forgets the others. */
  void keep(int count) {
    length += count;
    cache.truncate(length);
  }

  /** Logits of the last position that wanted them, [vocabulary]; overwritten by the next append. */
  public float[] logits() {
    return logits;
  }

  @Override
  public void close() {
    if (ownsLoop) {
      loop.close();
    }
    if (ownsCache) {
      cache.close();
    }
  }
}
