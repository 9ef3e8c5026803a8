package dev.muninn.decode;

import dev.muninn.backend.Backend;
import dev.muninn.cache.KeyValueLayout;
import dev.muninn.cache.SequenceCache;
import java.util.Arrays;

/**
 * The keys and values of a sequence that outlive its task, and the tokens that they belong to. The
 * next task on it computes only what is behind the tokens that both have in common.
 *
 * <p>All tasks on it must have the same recurrence, initial states and options, which the keys and
 * values depend on. Not thread-safe.
 */
public final class KeptSequence implements AutoCloseable {
  final SequenceCache cache;
  private final int[] tokens;
  private int length;

  /** An empty sequence. */
  public KeptSequence(Backend backend, KeyValueLayout layout) {
    this.cache = new SequenceCache(layout, backend.allocate(layout));
    this.tokens = new int[layout.capacity()];
  }

  /**
   * Forgets what a prompt does not begin with, and in any case the position of its last token,
   * which is computed again for its logits.
   *
   * @return positions that are kept
   */
  int begin(int[] prompt) {
    length = common(prompt);
    cache.truncate(length);
    return length;
  }

  /**
   * Takes over what another sequence has in common with a prompt.
   *
   * @param other of a layout that differs in its capacity at most; stays as it is
   * @return whether the backend could copy
   */
  public boolean copyFrom(KeptSequence other, int[] prompt) {
    int most = other.common(prompt);
    if (!cache.copyFrom(other.cache, most)) {
      return false;
    }
    System.arraycopy(prompt, 0, tokens, 0, most);
    length = most;
    return true;
  }

  /** Positions that need not be computed for a prompt; that of its last token always is. */
  public int common(int[] prompt) {
    int most = Math.min(length, prompt.length - 1);
    int differs = Arrays.mismatch(tokens, 0, most, prompt, 0, most);
    return differs < 0 ? most : differs;
  }

  /** Whether all of it stands at the beginning of another sequence. */
  public boolean beginsIn(KeptSequence other) {
    return length <= other.length
        && Arrays.mismatch(tokens, 0, length, other.tokens, 0, length) < 0;
  }

  /** Bytes of the positions that are computed. */
  public long bytes() {
    return cache.layout().bytes(length);
  }

  /** Notes the token of the next position, which is computed. */
  void append(int token) {
    tokens[length++] = token;
  }

  /** Positions that are computed. */
  public int length() {
    return length;
  }

  @Override
  public void close() {
    cache.close();
  }
}
