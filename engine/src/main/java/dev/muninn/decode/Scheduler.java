package dev.muninn.decode;

import dev.muninn.backend.Backend;
import dev.muninn.backend.LatentRows;
import dev.muninn.backend.RowBatch;
import dev.muninn.model.RecurrentModel;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;

/**
 * Decodes sequences side by side, one position after the other in each. Every call of the recurrent
 * block carries all rows that think, whatever their depth: weights are read once for all of them. A
 * row that exits leaves its place at once, and so does a sequence that ends. A sequence's result
 * does not depend on the others. Not thread-safe.
 */
public final class Scheduler implements AutoCloseable {
  /** Most rows of a prompt in flight where they need not leave together. */
  private static final int PROMPT_ROWS = 256;

  /** The same where each row has a criterion of its own, which may keep two distributions. */
  private static final int CHECKED_ROWS = 64;

  /** Most rows of a workspace that is kept when nobody needs them. */
  private static final int KEPT_ROWS = 4 * PROMPT_ROWS;

  /** Rows for answers that a growing workspace has at least, once there are several. */
  private static final int ANSWER_ROWS = 8;

  /** Most rows of a continuation in flight: the logits of all are kept at once. */
  static final int SCORED_ROWS = 64;

  /** Does something with a sequence, and with the rows of a call. */
  @FunctionalInterface
  private interface Phase {
    void run(SequenceInFlight sequence, RowBatch batch);
  }

  private final Backend backend;
  private final int batchSize;
  private final Queue<SequenceTask> waiting = new ArrayDeque<>();
  private final List<SequenceInFlight> active = new ArrayList<>();
  private final DepthLoop loop;
  private RowSlots slots;
  private final boolean grows;
  private int capacity;
  private RowBatch preludeRows;
  private RowBatch coreRows;
  private RowBatch codaRows;

  /**
   * An idle scheduler of a fixed size.
   *
   * @param batchSize most sequences in flight, at least 1
   * @param promptRows most rows of a sequence in flight: the greatest {@link #rows} of those that
   *     will be added
   */
  public Scheduler(Backend backend, RecurrentModel model, int batchSize, int promptRows) {
    this(
        backend,
        model,
        batchSize,
        // In a batch several prompts may be under way beside the rows of the others.
        batchSize == 1 ? promptRows : batchSize + Math.max(promptRows, 2 * PROMPT_ROWS),
        false);
  }

  private Scheduler(
      Backend backend, RecurrentModel model, int batchSize, int capacity, boolean grows) {
    if (batchSize < 1) {
      throw new IllegalArgumentException("batch size must be at least 1, not " + batchSize);
    }
    this.backend = backend;
    this.batchSize = batchSize;
    this.grows = grows;
    loop = new DepthLoop(backend.rows(capacity), model.width());
    slots = new RowSlots(capacity);
    setCapacity(capacity);
  }

  /**
   * An idle scheduler for any number of sequences, whose workspace grows with them and is kept.
   *
   * @param rows {@link #rows} of the first sequence
   */
  public static Scheduler growing(Backend backend, RecurrentModel model, int rows) {
    return new Scheduler(backend, model, Integer.MAX_VALUE, rows, true);
  }

  private void setCapacity(int rows) {
    capacity = rows;
    preludeRows = new RowBatch(rows);
    coreRows = new RowBatch(rows);
    codaRows = new RowBatch(rows);
  }

  /** Makes room for one more sequence; rows in flight move, and stay what they are. */
  private void growFor(SequenceTask task) {
    int needed = rows(task);
    if (!active.isEmpty() || !waiting.isEmpty()) {
      int answers = Math.max(ANSWER_ROWS, Integer.highestOneBit(active.size()) * 2);
      needed = answers + Math.max(needed, 2 * PROMPT_ROWS);
    }
    boolean tooLarge = active.isEmpty() && capacity > KEPT_ROWS && needed <= KEPT_ROWS;
    if (needed <= capacity && !tooLarge) {
      return;
    }
    LatentRows others = backend.rows(needed);
    for (SequenceInFlight sequence : active) {
      sequence.copyRows(others);
    }
    loop.replaceRows(others);
    if (tooLarge) {
      slots = new RowSlots(needed);
    } else {
      slots.grow(capacity, needed);
    }
    setCapacity(needed);
  }

  /** Rows of its prompt that a sequence has in flight at once. */
  public static int promptRows(int promptLength, ExitOptions exit) {
    if (exit.criterion().isEmpty()) {
      return Math.min(promptLength, PROMPT_ROWS);
    }
    return switch (exit.prefill()) {
      case GROUP -> promptLength;
      case ROW -> Math.min(promptLength, CHECKED_ROWS);
      case NONE -> Math.min(promptLength, PROMPT_ROWS);
    };
  }

  /** Rows that a sequence has in flight at once. */
  public static int rows(SequenceTask task) {
    int most = promptRows(task.prompt.length - task.begin(), task.options.exit());
    if (task.inLockstep()) {
      for (int[] continuation : task.continuations) {
        most = Math.max(most, Math.min(continuation.length - 1, SCORED_ROWS));
      }
    }
    return most;
  }

  /** Adds a sequence; it begins when a place is free. */
  public void add(SequenceTask task) {
    waiting.add(task);
  }

  /** Whether a sequence that is added now begins in the next step. */
  public boolean hasRoom() {
    return active.size() + waiting.size() < batchSize;
  }

  /** Calls of the recurrent block so far. */
  public long corePasses() {
    return loop.corePasses();
  }

  /** Rows in those calls. */
  public long coreRows() {
    return loop.coreRows();
  }

  /** Rows that fit its workspace. */
  public int capacity() {
    return capacity;
  }

  /** Ends all sequences by one failure, of which each sink hears. */
  public void fail(Throwable failure) {
    while (!waiting.isEmpty()) {
      waiting.remove().sink.failed(failure);
    }
    while (!active.isEmpty()) {
      SequenceInFlight sequence = active.removeLast();
      sequence.close();
      sequence.task().sink.failed(failure);
    }
  }

  /** Sequences that have begun and not ended. */
  public int activeSequences() {
    return active.size();
  }

  /**
   * Applies the recurrent block once to every row in flight, and does what follows from it: exits,
   * tokens, new rows, new sequences. A sequence whose criterion, sampler or sink throws ends, and
   * its sink hears of it; the others go on.
   *
   * @return whether there is more to do
   */
  public boolean step() {
    dropCancelled();
    while (active.size() < batchSize && !waiting.isEmpty()) {
      begin(waiting.remove());
    }
    if (active.isEmpty()) {
      return false;
    }
    preludeRows.clear();
    each(SequenceInFlight::beginIfIdle, preludeRows);
    loop.embed(preludeRows);
    each(SequenceInFlight::startIfNew, preludeRows);
    coreRows.clear();
    each(SequenceInFlight::addThinking, coreRows);
    if (coreRows.size() > 0) {
      loop.recur(coreRows);
    }
    readOutCandidates();
    finishForwards();
    return !active.isEmpty() || !waiting.isEmpty();
  }

  private void begin(SequenceTask task) {
    if (task.isCancelled()) {
      task.sink.cancelled();
      return;
    }
    try {
      if (grows) {
        growFor(task);
      }
      task.sink.begun();
      active.add(new SequenceInFlight(task, backend, loop, slots));
    } catch (RuntimeException | Error e) {
      task.sink.failed(e);
    }
  }

  private void each(Phase phase, RowBatch batch) {
    for (int i = 0; i < active.size(); i++) {
      SequenceInFlight sequence = active.get(i);
      if (sequence.failure() == null) {
        try {
          phase.run(sequence, batch);
        } catch (RuntimeException | Error e) {
          sequence.fail(e);
        }
      }
    }
  }

  /** The coda for all that end, and for all whose exit depends on it. */
  private void readOutCandidates() {
    codaRows.clear();
    each(SequenceInFlight::decideByLatents, codaRows);
    loop.readOut(codaRows);
    each(SequenceInFlight::decideByLogits, codaRows);
    codaRows.clear();
    each(SequenceInFlight::addUnread, codaRows);
    loop.readOut(codaRows);
    each(SequenceInFlight::takeUnreadLogits, codaRows);
  }

  private void finishForwards() {
    int i = 0;
    while (i < active.size()) {
      SequenceInFlight sequence = active.get(i);
      boolean more = false;
      try {
        more = sequence.failure() == null && sequence.advance();
      } catch (RuntimeException | Error e) {
        sequence.fail(e);
      }
      if (more) {
        i++;
        continue;
      }
      active.remove(i);
      sequence.close();
      end(sequence.task().sink, sequence.failure());
    }
  }

  private static void end(TokenSink sink, Throwable failure) {
    if (failure == null) {
      try {
        sink.ended();
      } catch (RuntimeException | Error e) {
        sink.failed(e);
      }
    } else {
      sink.failed(failure);
    }
  }

  private void dropCancelled() {
    int i = 0;
    while (i < active.size()) {
      SequenceInFlight sequence = active.get(i);
      if (sequence.task().isCancelled()) {
        active.remove(i);
        sequence.close();
        sequence.task().sink.cancelled();
      } else {
        i++;
      }
    }
  }

  /** Frees what sequences still hold; those that have not ended stay as they are. */
  @Override
  public void close() {
    for (SequenceInFlight sequence : active) {
      sequence.close();
    }
    active.clear();
    loop.close();
  }
}
