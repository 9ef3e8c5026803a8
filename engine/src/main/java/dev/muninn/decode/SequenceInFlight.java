package dev.muninn.decode;

import dev.muninn.backend.Backend;
import dev.muninn.backend.LatentRows;
import dev.muninn.backend.RowBatch;
import dev.muninn.cache.SequenceCache;
import dev.muninn.model.RecurrentModel;

/**
 * A sequence in flight: at most one forward, of a part of its prompt, of one token, or of tokens to
 * score. {@link Scheduler} calls its methods in the order in which they stand here, once a step.
 */
final class SequenceInFlight implements AutoCloseable {
  private final SequenceTask task;
  private final DepthLoop loop;
  private final RowSlots freeSlots;
  private final InitialStates initialStates;
  private final SequenceCache cache;
  private final ExitChecks exits;

  /** Null where tokens are chosen. */
  private final ContinuationScoring scoring;

  /** Rows of a forward of the prompt. */
  private final int chunk;

  private final int[] slots;
  private final float[] logits;

  /** ln_f(s_r) of the last position, where the next one starts from it. */
  private final float[] warm;

  private Throwable failure;

  private int length;
  private int nextToken;
  private int count;
  private int done;
  private boolean fresh;
  private boolean checking;
  private boolean finished;
  private boolean unread;
  private int codaIndex;

  SequenceInFlight(SequenceTask task, Backend backend, DepthLoop loop, RowSlots freeSlots) {
    RecurrentModel model = task.layout.model();
    this.task = task;
    this.loop = loop;
    this.freeSlots = freeSlots;
    this.length = task.begin();
    this.chunk = Scheduler.promptRows(task.prompt.length - length, task.options.exit());
    int mostRows = Scheduler.rows(task);
    this.initialStates = new InitialStates(task.initialState, model.core().start());
    this.exits =
        new ExitChecks(task.options.exit(), model, loop.width(), task.prompt.length, mostRows);
    this.slots = new int[mostRows];
    this.warm = new float[task.options.warmStart() ? loop.width() : 0];
    this.scoring = task.scores() ? new ContinuationScoring(task, warm.length) : null;
    this.logits = new float[model.vocabularySize()];
    this.cache = task.openCache(backend);
    for (int position = 0; position < length; position++) {
      exits.promptDepths()[position] = cache.depth(position);
    }
  }

  SequenceTask task() {
    return task;
  }

  /** The failure that ended only this sequence, or null. */
  Throwable failure() {
    return failure;
  }

  /** Ends this sequence. */
  void fail(Throwable failure) {
    this.failure = failure;
  }

  /** Copies the rows in flight to the same slots of another workspace. */
  void copyRows(LatentRows to) {
    float[] values = loop.latent();
    for (int row = 0; row < count; row++) {
      loop.rows().readEmbedding(slots[row], values);
      to.writeEmbedding(slots[row], values);
      exits.copyKept(loop.rows(), to, slots[row], values);
      loop.rows().readLatent(slots[row], values);
      to.writeLatent(slots[row], values);
    }
  }

  private boolean inPrompt() {
    return length < task.prompt.length;
  }

  private boolean inContinuation() {
    return scoring != null && scoring.begun();
  }

  /** Rows of the next forward. */
  private int nextRows() {
    if (inPrompt()) {
      return Math.min(chunk, task.prompt.length - length);
    }
    if (inContinuation() && task.inLockstep()) {
      return Math.min(Scheduler.SCORED_ROWS, scoring.end() - length);
    }
    return 1;
  }

  private int token(int position) {
    if (position < task.prompt.length) {
      return task.prompt[position];
    }
    return inContinuation() ? scoring.token(position) : nextToken;
  }

  private void addRow(RowBatch batch, int row, boolean wantsLogits) {
    int position = length + row;
    batch.add(slots[row], cache, position, token(position));
    batch.setLogits(batch.size() - 1, wantsLogits);
  }

  /** Starts the next forward if the last is over and there are row slots for it. */
  void beginIfIdle(RowBatch batch) {
    if (count > 0) {
      return;
    }
    int wanted = nextRows();
    if (wanted > freeSlots.free()) {
      return;
    }
    count = wanted;
    done = 0;
    fresh = true;
    for (int row = 0; row < count; row++) {
      slots[row] = freeSlots.take();
      addRow(batch, row, false);
    }
    exits.begin(length, count, inPrompt());
  }

  /** Sets the start states of a forward whose tokens were embedded in this step. */
  void startIfNew(RowBatch ignored) {
    if (!fresh) {
      return;
    }
    fresh = false;
    exits.takePlaces(loop.rows());
    float[] latent = loop.latent();
    for (int row = 0; row < count; row++) {
      if (task.options.warmStart() && length > 0 && !inPrompt()) {
        System.arraycopy(warm, 0, latent, 0, warm.length);
        loop.rows().writeLatent(slots[row], latent);
      } else {
        loop.start(initialStates, slots[row], length + row);
      }
      exits.start(loop, row);
    }
    exits.started(loop, slots);
  }

  void addThinking(RowBatch batch) {
    finished = false;
    checking = false;
    if (count == 0) {
      return;
    }
    for (int row = 0; row < count; row++) {
      if (exits.thinks(row)) {
        addRow(batch, row, false);
        batch.setRecurrence(batch.size() - 1, done);
      }
    }
    task.corePasses++;
    task.coreRows += exits.thinking();
    done++;
  }

  /** Exits that latents decide; adds the rows that need the coda. */
  void decideByLatents(RowBatch coda) {
    if (count == 0) {
      return;
    }
    finished = done == task.recurrence;
    if (!finished && exits.due(done)) {
      checking = exits.readLogits();
      if (!checking) {
        finished = exits.leaveByLatents(loop, slots, done, logits);
      }
    }
    codaIndex = coda.size();
    if (checking) {
      for (int row = 0; row < count; row++) {
        if (exits.thinks(row)) {
          boolean looksAt = exits.rowByRow() || row == count - 1;
          addRow(coda, row, looksAt);
          if (looksAt) {
            exits.compare(coda, row);
          }
        }
      }
      task.checkRows += exits.thinking();
    } else if (finished) {
      addAll(coda);
    }
  }

  private void addAll(RowBatch coda) {
    codaIndex = coda.size();
    for (int row = 0; row < count; row++) {
      addRow(coda, row, row == count - 1 ? endsPrompt() : inContinuation());
    }
  }

  /** Whether the token behind the forward's last row is wanted. */
  private boolean endsPrompt() {
    return length + count >= task.prompt.length;
  }

  /** After the coda: exits that logits decide, and the logits of forwards that ended. */
  void decideByLogits(RowBatch ignored) {
    if (checking) {
      finished = exits.leaveByLogits(loop, slots, done, codaIndex, logits);
      // Where rows left one by one, the coda is yet to see them as they were when each did.
      unread = finished && exits.rowByRow();
    } else if (finished && endsPrompt()) {
      for (int row = 0; inContinuation() && row < count - 1; row++) {
        loop.rows().readLogits(codaIndex + row, logits);
        scoring.score(length + row, logits);
      }
      loop.rows().readLogits(codaIndex + count - 1, logits);
    }
  }

  void addUnread(RowBatch coda) {
    if (unread) {
      addAll(coda);
    }
  }

  void takeUnreadLogits(RowBatch ignored) {
    if (unread && endsPrompt()) {
      loop.rows().readLogits(codaIndex + count - 1, logits);
    }
    unread = false;
  }

  /** Goes on to the next forward if this one has ended; whether the sequence goes on. */
  boolean advance() {
    if (!finished) {
      return true;
    }
    finished = false;
    if (task.options.warmStart()) {
      loop.rows().readNormedLatent(slots[count - 1], warm);
    }
    boolean chosen = endsPrompt();
    int recurrences = exits.end(done);
    int rows = count;
    giveBackSlots();
    if (inContinuation()) {
      return advanceContinuation(rows);
    }
    for (int row = 0; row < rows; row++) {
      task.computed(token(length + row));
    }
    length += rows;
    if (!chosen) {
      return true;
    }
    task.recordForward(recurrences);
    if (exits.rowByRow()) {
      task.recordPromptRecurrences(exits.promptDepths());
    }
    if (scoring != null) {
      return scoring.begin(logits, warm, cache);
    }
    nextToken = task.sampler.sample(logits);
    task.sampler.accept(nextToken);
    task.sink.chosen(nextToken, logits);
    return task.sink.accept(nextToken, recurrences) && length < task.layout.capacity();
  }

  /** Goes on behind a forward of a continuation; whether there is more to score. */
  private boolean advanceContinuation(int rows) {
    scoring.score(length + rows - 1, logits);
    for (int row = 0; row < rows; row++) {
      task.recordForward(done);
    }
    length += rows;
    if (length < scoring.end()) {
      return true;
    }
    length = task.prompt.length;
    return scoring.next(warm, cache);
  }

  private void giveBackSlots() {
    exits.givePlaces(loop.rows());
    while (count > 0) {
      freeSlots.giveBack(slots[--count]);
    }
  }

  @Override
  public void close() {
    giveBackSlots();
    task.closeCache(cache);
  }
}
