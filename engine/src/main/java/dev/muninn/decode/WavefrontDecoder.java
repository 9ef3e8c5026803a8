package dev.muninn.decode;

import dev.muninn.backend.Backend;
import dev.muninn.backend.LatentRows;
import dev.muninn.backend.RowBatch;
import dev.muninn.cache.SequenceCache;
import dev.muninn.model.RecurrentModel;
import java.util.Arrays;
import java.util.function.BooleanSupplier;

/**
 * Parallel sampling of one sequence: {@link Strategy.Parallel} (arXiv 2510.14961).
 *
 * <p>The wavefront is a window of positions that have a token, a latent state and, in the one slot
 * of each block, keys and values, all of which may still change. The position before a token
 * chooses it; a token is certain once the state of its own position has settled, and then all
 * before it are. The last settled position stays in the window, for the token behind it is still to
 * be chosen.
 */
public final class WavefrontDecoder implements AutoCloseable {
  /**
   * In a window that cannot grow, a position is left as it is after so many times the recurrences
   * of sequential decoding.
   */
  private static final int MOST_DEPTH = 4;

  private final SequenceTask task;
  private final Strategy.Parallel strategy;
  private final BooleanSupplier cancelled;
  private final RecurrentModel model;
  private final int width;
  private final int window;
  private final int headway;
  private final SequenceCache cache;
  private final LatentRows rows;
  private final DepthLoop loop;
  private final DepthLoop.Watcher afterEach = this::recurred;
  private final RowBatch batch;
  private final RowBatch changed;
  private final InitialStates initialStates;
  private final InitialStates noise;
  private final SplitMix guesses = new SplitMix();

  /** Tokens by position; certain up to and including the first of the window. */
  private final int[] tokens;

  /** The token that P was last applied to, by position; -1 before that. */
  private final int[] embedded;

  private int first;
  private int extent;

  // By position modulo the window's greatest extent, as the row slots are.
  private final float[] previousStates;
  private final float[] averagedEmbeddings;
  private final int[] depths;
  private int averagedEnd;

  private final float[] state;
  private final float[] other;
  private final float[] logits;

  /** Decodes a task whose strategy is parallel and whose cache policy is budget:1. */
  public WavefrontDecoder(Backend backend, SequenceTask task, BooleanSupplier cancelled) {
    this.task = task;
    this.strategy = (Strategy.Parallel) task.options.strategy();
    this.cancelled = cancelled;
    this.model = task.layout.model();
    this.width = model.width();
    this.window = Math.min(strategy.maxWavefront(), task.layout.capacity());
    this.headway = Math.min(strategy.headway(), window);
    this.batch = new RowBatch(window);
    this.changed = new RowBatch(window);
    this.initialStates = new InitialStates(task.initialState, model.core().start());
    // Noise is of the size that the model was trained with even where states begin from zeros.
    this.noise =
        new InitialStates(
            task.initialState.scale() == 0
                ? InitialState.random(task.initialState.seed())
                : task.initialState,
            model.core().start());
    this.guesses.seed(task.initialState.seed());
    this.tokens = new int[task.layout.capacity() + headway + 1];
    this.embedded = new int[tokens.length];
    Arrays.fill(embedded, -1);
    this.previousStates = new float[window * width];
    this.averagedEmbeddings = new float[strategy.embeddingEma() > 0 ? window * width : 0];
    this.depths = new int[window];
    this.state = new float[width];
    this.other = new float[width];
    this.logits = new float[model.vocabularySize()];
    this.cache = new SequenceCache(task.layout, backend.allocate(task.layout));
    try {
      this.rows = backend.rows(Math.max(window, Math.min(256, task.prompt.length)));
    } catch (RuntimeException | Error e) {
      cache.close();
      throw e;
    }
    this.loop = new DepthLoop(rows, width);
  }

  /**
   * Decodes until the sink has enough or the layout's capacity is used.
   *
   * @return false if it was cancelled
   */
  public boolean run() {
    System.arraycopy(task.prompt, 0, tokens, 0, task.prompt.length);
    first = task.prompt.length;
    task.corePasses++;
    task.coreRows += task.prompt.length;
    try (SequenceForward prefill =
        SequenceForward.sharing(loop, cache, task.recurrence, initialStates, cancelled)) {
      if (!prefill.append(task.prompt)) {
        return false;
      }
      tokens[first] = task.sampler.sample(prefill.logits());
    }
    task.recordForward(task.recurrence);
    if (!emit(tokens[first], task.recurrence)) {
      return true;
    }
    extent = first < task.layout.capacity() ? 1 : 0;
    initialize(first, first + extent);
    int advanced = first;
    while (first + 1 < task.layout.capacity()) {
      embed();
      mixNoise();
      if (!loop.recur(batch, strategy.innerRecurrence(), cancelled, afterEach)) {
        return false;
      }
      for (int position = first; position < first + extent; position++) {
        depths[position % window] += strategy.innerRecurrence();
      }
      chooseTokens();
      int settled = lastSettled(advanced);
      task.outerSteps++;
      int end = first + extent;
      int added = Math.min(headway, room());
      remember();
      advanced = settled - first;
      if (!advance(settled, end + added)) {
        return true;
      }
      initialize(end, end + added);
    }
    return true;
  }

  private void recurred(RowBatch rowsInWindow) {
    task.corePasses++;
    task.coreRows += extent;
    // All recurrences share one slot, and there may be more than sequential decoding makes.
    for (int row = 0; row < rowsInWindow.size(); row++) {
      rowsInWindow.setRecurrence(row, 0);
    }
  }

  /** Adds positions to the window, with their initial states. */
  private void initialize(int from, int to) {
    for (int position = from; position < to; position++) {
      initialStates.begin(rows, position % window, position, state);
      System.arraycopy(state, 0, previousStates, position % window * width, width);
      // What the prompt's computation has spent counts for the first position.
      depths[position % window] = position == task.prompt.length ? task.recurrence : 0;
    }
  }

  /**
   * P over the window; the embedding is averaged with what it was in the step before. Where it is
   * not, the positions before the first token that has changed keep theirs, and their keys and
   * values: P would compute the same.
   */
  private void embed() {
    batch.clear();
    changed.clear();
    float share = strategy.embeddingEma();
    boolean same = share == 0;
    for (int position = first; position < first + extent; position++) {
      batch.add(position % window, cache, position, tokens[position]);
      batch.setLogits(position - first, true);
      same = same && embedded[position] == tokens[position];
      if (!same) {
        changed.add(position % window, cache, position, tokens[position]);
        embedded[position] = tokens[position];
      }
    }
    loop.embed(changed);
    if (share == 0) {
      return;
    }
    for (int position = first; position < first + extent; position++) {
      int slot = position % window;
      int at = slot * width;
      boolean known = position < averagedEnd;
      rows.readEmbedding(slot, state);
      if (task.outerSteps > 0) {
        for (int i = 0; i < width; i++) {
          state[i] = state[i] * (1 - share) + (known ? averagedEmbeddings[at + i] * share : 0);
        }
        rows.writeEmbedding(slot, state);
      }
      System.arraycopy(state, 0, averagedEmbeddings, at, width);
    }
    averagedEnd = first + extent;
  }

  private void mixNoise() {
    if (strategy.stateNoise() == 0) {
      return;
    }
    for (int position = first; position < first + extent; position++) {
      int slot = position % window;
      float share = strategy.stateNoise() / (1 + depths[slot]);
      rows.readLatent(slot, state);
      noise.fill(position, 1 + Math.toIntExact(task.outerSteps), other);
      for (int i = 0; i < width; i++) {
        state[i] = state[i] * (1 - share) + other[i] * share;
      }
      rows.writeLatent(slot, state);
    }
  }

  /** C over the window: the token behind each position, and guesses behind the last. */
  private void chooseTokens() {
    loop.readOut(batch);
    for (int row = 0; row < extent; row++) {
      rows.readLogits(row, logits);
      tokens[first + row + 1] = task.sampler.sample(logits);
    }
    for (int i = 1; i < headway; i++) {
      tokens[first + extent + i] = guesses.below(model.vocabularySize());
    }
  }

  /** The last position that has settled, or the first of the window. */
  private int lastSettled(int advanced) {
    int settled = first;
    for (int position = first; position < first + extent; position++) {
      int slot = position % window;
      boolean still =
          switch (strategy.freeze()) {
            case FIXED -> depths[slot] >= task.recurrence;
            case LATENT_DIFF -> {
              // As the public model file: in the step after the window has moved by n, a position's
              // state is compared with that of the position n further on.
              int compared = position + advanced;
              if (compared >= first + extent) {
                yield false;
              }
              rows.readLatent(slot, state);
              yield LatentExits.relativeChange(
                      state, 0, previousStates, compared % window * width, width)
                  < strategy.exitThreshold();
            }
          };
      if (still) {
        settled = position;
      }
    }
    // Some latent states orbit and never settle: where the window cannot grow, the wave would stand
    // for ever.
    if (settled == first
        && extent > 1
        && room() == 0
        && depths[(first + 1) % window] >= (long) MOST_DEPTH * task.recurrence) {
      settled = first + 1;
    }
    return settled;
  }

  /** Positions that the window has room for. */
  private int room() {
    return Math.max(0, Math.min(first + window, task.layout.capacity()) - first - extent);
  }

  private void remember() {
    for (int position = first; position < first + extent; position++) {
      int slot = position % window;
      rows.readLatent(slot, state);
      System.arraycopy(state, 0, previousStates, slot * width, width);
    }
  }

  /** Moves the window on; whether the sink wants more. */
  private boolean advance(int settled, int end) {
    for (int position = first + 1; position <= settled; position++) {
      int recurrences = depths[(position - 1) % window];
      task.recordForward(recurrences);
      if (!emit(tokens[position], recurrences)) {
        return false;
      }
    }
    first = settled;
    extent = end - settled;
    return true;
  }

  private boolean emit(int token, int recurrences) {
    task.sampler.accept(token);
    return task.sink.accept(token, recurrences);
  }

  @Override
  public void close() {
    loop.close();
    cache.close();
  }
}
