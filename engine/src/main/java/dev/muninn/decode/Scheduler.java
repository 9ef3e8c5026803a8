package dev.muninn.decode;

import dev.muninn.backend.Backend;
import dev.muninn.backend.LatentRows;
import dev.muninn.backend.RowBatch;
import dev.muninn.cache.SequenceCache;
import dev.muninn.model.RavenConfig;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;

/**
 * Decodes sequences side by side, one position after the other in each. Every call of the recurrent
 * block carries all rows that think, whatever their depth: weights are read once for all of them. A
 * row that exits leaves its place at once, and so does a sequence that ends. What a sequence
 * becomes does not depend on the others. Not thread-safe.
 */
public final class Scheduler implements AutoCloseable {
  /** Most rows of a prompt in flight where they need not leave together. */
  private static final int PROMPT_ROWS = 256;

  /** The same where each row has a criterion of its own, which may keep two distributions. */
  private static final int CHECKED_ROWS = 64;

  /** Most rows of a continuation in flight: the logits of all are kept at once. */
  private static final int SCORED_ROWS = 64;

  private final RavenConfig config;
  private final Backend backend;
  private final int batchSize;
  private final Queue<SequenceTask> waiting = new ArrayDeque<>();
  private final List<Active> active = new ArrayList<>();
  private final LatentRows rows;
  private final int[] freeSlots;
  private int freeCount;
  private final RowBatch preludeRows;
  private final RowBatch coreRows;
  private final RowBatch codaRows;
  private final float[] latent;
  private long corePasses;

  /**
   * An idle scheduler.
   *
   * @param batchSize most sequences in flight, at least 1
   * @param promptRows most rows of a sequence in flight: the greatest {@link #rows} of those that
   *     will be added
   */
  public Scheduler(Backend backend, RavenConfig config, int batchSize, int promptRows) {
    if (batchSize < 1) {
      throw new IllegalArgumentException("batch size must be at least 1, not " + batchSize);
    }
    this.backend = backend;
    this.config = config;
    this.batchSize = batchSize;
    this.latent = new float[config.embeddingSize()];
    // In a batch several prompts may be under way beside the rows of the others.
    int capacity = batchSize == 1 ? promptRows : batchSize + Math.max(promptRows, 2 * PROMPT_ROWS);
    rows = backend.rows(capacity);
    preludeRows = new RowBatch(capacity);
    coreRows = new RowBatch(capacity);
    codaRows = new RowBatch(capacity);
    freeSlots = new int[capacity];
    freeCount = capacity;
    for (int slot = 0; slot < capacity; slot++) {
      freeSlots[slot] = capacity - 1 - slot;
    }
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

  /** Calls of the recurrent block so far. */
  public long corePasses() {
    return corePasses;
  }

  /** Sequences that have begun and not ended. */
  public int activeSequences() {
    return active.size();
  }

  /**
   * Applies the recurrent block once to every row in flight, and does what follows from it: exits,
   * tokens, new rows, new sequences.
   *
   * @return whether there is more to do
   */
  public boolean step() {
    while (active.size() < batchSize && !waiting.isEmpty()) {
      SequenceTask task = waiting.remove();
      task.sink.begun();
      active.add(new Active(task));
    }
    if (active.isEmpty()) {
      return false;
    }
    beginForwards();
    coreRows.clear();
    for (int i = 0; i < active.size(); i++) {
      active.get(i).addThinking(coreRows);
    }
    rows.recur(coreRows);
    corePasses++;
    readOutCandidates();
    finishForwards();
    return !active.isEmpty() || !waiting.isEmpty();
  }

  private void beginForwards() {
    preludeRows.clear();
    for (int i = 0; i < active.size(); i++) {
      active.get(i).beginIfIdle(preludeRows);
    }
    if (preludeRows.size() == 0) {
      return;
    }
    rows.prelude(preludeRows);
    for (int i = 0; i < active.size(); i++) {
      active.get(i).initializeIfNew();
    }
  }

  /** The coda for all that end, and for all whose exit depends on it. */
  private void readOutCandidates() {
    codaRows.clear();
    for (int i = 0; i < active.size(); i++) {
      active.get(i).decideByLatents(codaRows);
    }
    if (codaRows.size() > 0) {
      rows.coda(codaRows);
    }
    for (int i = 0; i < active.size(); i++) {
      active.get(i).decideByLogits();
    }
    codaRows.clear();
    for (int i = 0; i < active.size(); i++) {
      active.get(i).addUnread(codaRows);
    }
    if (codaRows.size() > 0) {
      rows.coda(codaRows);
      for (int i = 0; i < active.size(); i++) {
        active.get(i).takeUnreadLogits();
      }
    }
  }

  private void finishForwards() {
    int i = 0;
    while (i < active.size()) {
      Active sequence = active.get(i);
      if (sequence.advance()) {
        i++;
      } else {
        active.remove(i);
        sequence.close();
        sequence.task.sink.ended();
      }
    }
  }

  /** Frees what sequences still hold; those that have not ended stay as they are. */
  @Override
  public void close() {
    for (Active sequence : active) {
      sequence.close();
    }
    active.clear();
    rows.close();
  }

  /** A sequence in flight: at most one forward, of a part of its prompt or of one token. */
  private final class Active implements AutoCloseable {
    private final SequenceTask task;
    private final ExitOptions exit;
    private final InitialStates initialStates;
    private final SequenceCache cache;
    private final int chunk;
    private final float[] ownLogits;

    /** Of the forward's rows: row slot, whether it has left, s at the last check. */
    private final int[] slots;

    private final boolean[] left;
    private final float[] latents;

    /** Recurrences of each position of a prompt whose rows leave one by one. */
    private final int[] depths;

    /** ln_f(s_r) of the last position, where the next one starts from it. */
    private final float[] warm;

    /** The same of the context's last position, from which each continuation starts. */
    private final float[] contextWarm;

    private final List<ExitCriterion> criteria = new ArrayList<>();
    private int length;
    private int nextToken;

    /** Which continuation is under way; -1 in the context, and where none is given. */
    private int continuation = -1;

    private int count;
    private int leftCount;
    private int done;
    private boolean fresh;
    private boolean rowByRow;
    private boolean checking;
    private boolean finished;
    private boolean unread;
    private int codaIndex;

    Active(SequenceTask task) {
      this.task = task;
      this.exit = task.options.exit();
      this.length = task.begin();
      this.chunk = promptRows(task.prompt.length - length, exit);
      int mostRows = Scheduler.rows(task);
      this.initialStates = new InitialStates(task.initialState, config);
      this.slots = new int[mostRows];
      this.depths = new int[task.prompt.length];
      this.left = new boolean[mostRows];
      this.latents = new float[exit.criterion().isPresent() ? chunk * latent.length : 0];
      this.warm = new float[task.options.warmStart() ? latent.length : 0];
      this.contextWarm = new float[task.scores() ? warm.length : 0];
      this.ownLogits = new float[config.vocabularySize()];
      this.cache = task.openCache(backend);
      for (int position = 0; position < length; position++) {
        depths[position] = cache.depth(position);
      }
    }

    private boolean inPrompt() {
      return length < task.prompt.length;
    }

    /** Rows of the next forward. */
    private int nextRows() {
      if (inPrompt()) {
        return Math.min(chunk, task.prompt.length - length);
      }
      if (task.scores() && task.inLockstep()) {
        return Math.min(SCORED_ROWS, continuationEnd() - length);
      }
      return 1;
    }

    /** The position behind the continuation's rows: its last token is scored, not computed. */
    private int continuationEnd() {
      return task.prompt.length + task.continuations[continuation].length - 1;
    }

    private int token(int position) {
      if (position < task.prompt.length) {
        return task.prompt[position];
      }
      return task.scores()
          ? task.continuations[continuation][position - task.prompt.length]
          : nextToken;
    }

    /** Starts the next forward if the last is over and there are row slots for it. */
    void beginIfIdle(RowBatch batch) {
      if (count > 0) {
        return;
      }
      int wanted = nextRows();
      if (wanted > freeCount) {
        return;
      }
      count = wanted;
      leftCount = 0;
      done = 0;
      fresh = true;
      rowByRow =
          inPrompt() && exit.criterion().isPresent() && exit.prefill() == ExitOptions.Prefill.ROW;
      for (int row = 0; row < count; row++) {
        slots[row] = freeSlots[--freeCount];
        left[row] = false;
        addRow(batch, row);
      }
    }

    void initializeIfNew() {
      if (!fresh) {
        return;
      }
      fresh = false;
      int width = latent.length;
      for (int row = 0; row < count; row++) {
        if (task.options.warmStart() && length > 0 && !inPrompt()) {
          System.arraycopy(warm, 0, latent, 0, width);
        } else {
          initialStates.fill(length + row, latent);
        }
        rows.writeLatent(slots[row], latent);
        if (exit.criterion().isPresent()) {
          System.arraycopy(latent, 0, latents, row * width, width);
        }
      }
      if (exit.criterion().isEmpty()) {
        return;
      }
      if (rowByRow) {
        for (int row = 0; row < count; row++) {
          System.arraycopy(latents, row * width, latent, 0, width);
          criterion(row).begin(latent, 1, width);
        }
      } else {
        criterion(0).begin(latents, count, width);
      }
    }

    private ExitCriterion criterion(int index) {
      while (criteria.size() <= index) {
        criteria.add(exit.criterion().get().create(config));
      }
      return criteria.get(index);
    }

    void addThinking(RowBatch batch) {
      finished = false;
      checking = false;
      if (count == 0) {
        return;
      }
      for (int row = 0; row < count; row++) {
        if (!left[row]) {
          addRow(batch, row);
          batch.setRecurrence(batch.size() - 1, done);
        }
      }
      task.corePasses++;
      task.coreRows += count - leftCount;
      done++;
    }

    private void addRow(RowBatch batch, int row) {
      int position = length + row;
      batch.add(slots[row], cache, position, token(position));
    }

    /** Exits that latents decide; adds the rows that need the coda. */
    void decideByLatents(RowBatch coda) {
      if (count == 0) {
        return;
      }
      finished = done == task.recurrence;
      boolean held = inPrompt() && exit.prefill() == ExitOptions.Prefill.NONE;
      if (!finished && !held && exit.checks(done)) {
        if (criterion(0).readsLogits()) {
          checking = true;
        } else {
          checkLatents();
        }
      }
      codaIndex = coda.size();
      if (checking) {
        for (int row = 0; row < count; row++) {
          if (!left[row]) {
            addRow(coda, row);
            coda.setLogits(coda.size() - 1, rowByRow || row == count - 1);
          }
        }
        task.checkRows += count - leftCount;
      } else if (finished) {
        addAll(coda);
      }
    }

    private void addAll(RowBatch coda) {
      codaIndex = coda.size();
      for (int row = 0; row < count; row++) {
        addRow(coda, row);
        coda.setLogits(coda.size() - 1, scoresRows());
      }
      coda.setLogits(coda.size() - 1, endsPrompt());
    }

    /** Whether the token behind each of the forward's rows is scored. */
    private boolean scoresRows() {
      return continuation >= 0;
    }

    /** Whether the token behind the forward's last row is wanted. */
    private boolean endsPrompt() {
      return length + count >= task.prompt.length;
    }

    private void checkLatents() {
      int width = latent.length;
      if (rowByRow) {
        for (int row = 0; row < count; row++) {
          if (!left[row]) {
            rows.readLatent(slots[row], latent);
            leaveIf(row, criterion(row).measure(latent, 1, width, ownLogits));
          }
        }
        return;
      }
      readLatents();
      finished = criterion(0).satisfied(criterion(0).measure(latents, count, width, ownLogits));
    }

    private void readLatents() {
      int width = latent.length;
      for (int row = 0; row < count; row++) {
        rows.readLatent(slots[row], latent);
        System.arraycopy(latent, 0, latents, row * width, width);
      }
    }

    private void leaveIf(int row, double value) {
      if (criterion(row).satisfied(value)) {
        left[row] = true;
        leftCount++;
        depths[length + row] = done;
        finished = leftCount == count;
      }
    }

    /** After the coda: exits that logits decide, and the logits of forwards that ended. */
    void decideByLogits() {
      if (checking && rowByRow) {
        checkRowsByLogits();
        // The coda is yet to see the rows as they were when each of them left.
        unread = finished;
        return;
      }
      if (checking) {
        rows.readLogits(codaIndex + count - 1, ownLogits);
        readLatents();
        double value = criterion(0).measure(latents, count, latent.length, ownLogits);
        finished = criterion(0).satisfied(value);
      } else if (finished && endsPrompt()) {
        for (int row = 0; scoresRows() && row < count - 1; row++) {
          rows.readLogits(codaIndex + row, ownLogits);
          score(row);
        }
        rows.readLogits(codaIndex + count - 1, ownLogits);
      }
    }

    /** Scores the token behind a row of a continuation. */
    private void score(int row) {
      int next = length + row - task.prompt.length + 1;
      task.logProbabilities[continuation][next] =
          LogProbabilities.of(ownLogits, task.continuations[continuation][next]);
    }

    private void checkRowsByLogits() {
      int index = codaIndex;
      for (int row = 0; row < count; row++) {
        if (!left[row]) {
          rows.readLogits(index++, ownLogits);
          rows.readLatent(slots[row], latent);
          leaveIf(row, criterion(row).measure(latent, 1, latent.length, ownLogits));
        }
      }
    }

    void addUnread(RowBatch coda) {
      if (unread) {
        addAll(coda);
      }
    }

    void takeUnreadLogits() {
      if (unread && endsPrompt()) {
        rows.readLogits(codaIndex + count - 1, ownLogits);
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
        rows.readNormedLatent(slots[count - 1], warm);
      }
      for (int row = count - 1; row >= 0; row--) {
        freeSlots[freeCount++] = slots[row];
        if (rowByRow && !left[row]) {
          depths[length + row] = done;
        }
      }
      if (scoresRows()) {
        return advanceContinuation();
      }
      int recurrences = rowByRow ? depths[length + count - 1] : done;
      boolean chosen = endsPrompt();
      for (int row = 0; row < count; row++) {
        task.computed(inPrompt() ? task.prompt[length + row] : nextToken);
      }
      length += count;
      count = 0;
      if (!chosen) {
        return true;
      }
      task.recordForward(recurrences);
      if (rowByRow) {
        task.recordPromptRecurrences(depths);
      }
      if (task.scores()) {
        for (int i = 0; i < task.continuations.length; i++) {
          task.logProbabilities[i][0] = LogProbabilities.of(ownLogits, task.continuations[i][0]);
        }
        System.arraycopy(warm, 0, contextWarm, 0, warm.length);
        return beginContinuation();
      }
      nextToken = task.sampler.sample(ownLogits);
      task.sampler.accept(nextToken);
      return task.sink.accept(nextToken, recurrences) && length < task.layout.capacity();
    }

    /** Goes on behind a forward of a continuation; whether there is more to score. */
    private boolean advanceContinuation() {
      score(count - 1);
      for (int row = 0; row < count; row++) {
        task.recordForward(done);
      }
      length += count;
      count = 0;
      return length < continuationEnd() || beginContinuation();
    }

    /** Goes back to the context's end for the next continuation that has rows, if there is one. */
    private boolean beginContinuation() {
      cache.truncate(task.prompt.length);
      length = task.prompt.length;
      System.arraycopy(contextWarm, 0, warm, 0, warm.length);
      do {
        continuation++;
      } while (continuation < task.continuations.length && continuationEnd() == length);
      return continuation < task.continuations.length;
    }

    @Override
    public void close() {
      while (count > 0) {
        freeSlots[freeCount++] = slots[--count];
      }
      task.closeCache(cache);
    }
  }
}
