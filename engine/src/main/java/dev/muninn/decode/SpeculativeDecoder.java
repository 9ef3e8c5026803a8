package dev.muninn.decode;

import dev.muninn.backend.Backend;
import dev.muninn.cache.SequenceCache;
import java.util.Arrays;
import java.util.function.BooleanSupplier;

/**
 * Self-speculative decoding of one sequence: {@link Strategy.Speculative}. A drafted token x is
 * kept with probability min(1, p(x) / q(x)), q being its distribution when drafted and p when
 * verified; the first that is not is drawn anew from max(p - q, 0). So tokens are distributed as by
 * p alone (Leviathan et al., 2023, appendix A.1), and greedily they are those of p.
 */
public final class SpeculativeDecoder implements AutoCloseable {
  private final SequenceTask task;
  private final Strategy.Speculative strategy;
  private final int begin;
  private final SequenceCache cache;
  private final SequenceForward sequence;
  private final int[] inputs;
  private final float[][] drafted;
  private final float[] verified;

  /** Decodes a task whose strategy is speculative. */
  public SpeculativeDecoder(Backend backend, SequenceTask task, BooleanSupplier cancelled) {
    this.task = task;
    this.strategy = (Strategy.Speculative) task.options.strategy();
    if (strategy.draftRecurrence() >= task.recurrence) {
      throw new IllegalArgumentException(
          "draft recurrence "
              + strategy.draftRecurrence()
              + " must be below the recurrence "
              + task.recurrence);
    }
    // No more rows than are in flight at once: drafts keep theirs until they are verified.
    int lookahead =
        Math.min(
            Math.min(strategy.lookahead(), task.layout.capacity()), SequenceForward.MAXIMUM_ROWS);
    this.inputs = new int[lookahead + 1];
    this.drafted = new float[lookahead][task.layout.model().vocabularySize()];
    this.verified = new float[task.layout.model().vocabularySize()];
    this.begin = task.begin();
    this.cache = task.openCache(backend);
    int mostRows = Math.max(task.prompt.length - begin, lookahead);
    this.sequence =
        SequenceForward.continuing(
            new DepthLoop(
                backend.rows(Math.min(mostRows, SequenceForward.MAXIMUM_ROWS)),
                task.layout.model().width()),
            cache,
            begin,
            task.recurrence,
            new InitialStates(task.initialState, task.layout.model().core().start()),
            cancelled);
  }

  /**
   * Decodes until the sink has enough or the layout's capacity is used.
   *
   * @return false if it was cancelled
   */
  public boolean run() {
    try {
      return decode();
    } finally {
      task.corePasses = sequence.corePasses();
      task.coreRows = sequence.coreRows();
    }
  }

  private boolean decode() {
    int[] rest = Arrays.copyOfRange(task.prompt, begin, task.prompt.length);
    if (!sequence.append(rest)) {
      return false;
    }
    for (int token : rest) {
      task.computed(token);
    }
    task.recordForward(task.recurrence);
    int pending = task.sampler.sample(sequence.logits());
    task.sampler.accept(pending);
    task.sink.chosen(pending, sequence.logits());
    if (!task.sink.accept(pending, task.recurrence)) {
      return true;
    }
    while (sequence.length() < task.layout.capacity()) {
      int lookahead = Math.min(drafted.length, task.layout.capacity() - sequence.length());
      inputs[0] = pending;
      task.sampler.mark();
      if (!draft(lookahead) || !sequence.verify(inputs, lookahead, strategy.draftRecurrence())) {
        return false;
      }
      task.recordForward(task.recurrence);
      task.sampler.retract();
      pending = accept(lookahead);
      if (pending < 0) {
        return true;
      }
    }
    return true;
  }

  private boolean draft(int lookahead) {
    for (int index = 0; index < lookahead; index++) {
      if (!sequence.draft(index, inputs[index], strategy.draftRecurrence())) {
        return false;
      }
      task.sampler.distribution(sequence.logits(), drafted[index]);
      inputs[index + 1] = task.sampler.draw(drafted[index]);
      task.sampler.accept(inputs[index + 1]);
      task.draftedTokens++;
    }
    return true;
  }

  /** The next token to compute, or -1 if the sink has enough. */
  private int accept(int lookahead) {
    for (int index = 0; index < lookahead; index++) {
      task.sampler.distribution(sequence.verifiedLogits(index), verified);
      int token = inputs[index + 1];
      boolean accepted = task.sampler.uniform() * drafted[index][token] < verified[token];
      if (accepted) {
        task.acceptedTokens++;
      } else {
        leaveResidual(verified, drafted[index]);
        token = task.sampler.draw(verified);
      }
      task.sampler.accept(token);
      task.sink.chosen(token, sequence.logits());
      boolean goesOn = task.sink.accept(token, task.recurrence);
      if (!goesOn || !accepted || index == lookahead - 1) {
        keep(index + 1);
        return goesOn ? token : -1;
      }
    }
    throw new AssertionError("unreachable");
  }

  /**
   * Leaves max(p - q, 0) of a distribution p. Where that rounds to nothing everywhere, p and q are
   * the same but for rounding, and p stays as it is.
   */
  static void leaveResidual(float[] p, float[] q) {
    boolean any = false;
    for (int i = 0; i < p.length && !any; i++) {
      any = p[i] > q[i];
    }
    for (int i = 0; any && i < p.length; i++) {
      p[i] = Math.max(0, p[i] - q[i]);
    }
  }

  private void keep(int count) {
    sequence.keep(count);
    for (int index = 0; index < count; index++) {
      task.computed(inputs[index]);
    }
  }

  @Override
  public void close() {
    sequence.close();
    task.closeCache(cache);
  }
}
