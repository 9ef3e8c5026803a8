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
    int most = Math.min(length, prompt.length - 1);
    int differs = Arrays.mismatch(tokens, 0, most, prompt, 0, most);
    length = differs < 0 ? most : differs;
    cache.truncate(length);
    return length;
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
