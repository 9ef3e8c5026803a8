package dev.muninn.serve;

import dev.muninn.backend.Backend;
import dev.muninn.cache.KeyValueLayout;
import dev.muninn.cache.KeyValueType;
import dev.muninn.cache.SlotPolicy;
import dev.muninn.decode.DecodingOptions;
import dev.muninn.decode.InitialState;
import dev.muninn.decode.KeptSequence;
import java.util.ArrayList;
import java.util.List;

/**
 * Keys and values of sequences that have ended, for prompts that begin like them. A prompt gets a
 * copy of what it has in common with one of them. Those that were used longest ago go first. Not
 * thread-safe, but for what it has counted.
 */
final class PrefixStore {
  /** Each is looked at for each prompt. */
  private static final int MOST = 512;

  /** What keys and values depend on, beside the tokens. */
  record Settings(
      SlotPolicy policy,
      int recurrences,
      KeyValueType type,
      InitialState initialState,
      DecodingOptions decoding) {
    static Settings of(KeyValueLayout layout, GenerationRequest request) {
      return new Settings(
          layout.policy(),
          layout.recurrences(),
          layout.type(),
          request.initialState(),
          request.decoding());
    }
  }

  private record Entry(Settings settings, KeptSequence kept) {}

  /** The one that was used longest ago first. */
  private final List<Entry> entries = new ArrayList<>();

  private volatile long bytes;
  private volatile int size;
  private volatile long reusedTokens;
  private volatile long hits;

  /** A sequence of its own for a prompt, with what one that is kept has in common with it. */
  KeptSequence open(Backend backend, KeyValueLayout layout, Settings settings, int[] prompt) {
    KeptSequence opened = new KeptSequence(backend, layout);
    Entry best = null;
    int most = 0;
    for (Entry entry : entries) {
      int common = entry.settings.equals(settings) ? entry.kept.common(prompt) : 0;
      if (common > most) {
        best = entry;
        most = common;
      }
    }
    if (best != null && opened.copyFrom(best.kept, prompt)) {
      entries.remove(best);
      entries.add(best);
      reusedTokens = reusedTokens + most;
      hits = hits + 1;
    }
    return opened;
  }

  /** Keeps a sequence; those that it begins with are no longer needed. */
  void keep(Settings settings, KeptSequence kept) {
    for (int i = entries.size() - 1; i >= 0; i--) {
      Entry entry = entries.get(i);
      if (entry.settings.equals(settings) && entry.kept.beginsIn(kept)) {
        remove(i);
      }
    }
    if (entries.size() == MOST) {
      remove(0);
    }
    entries.add(new Entry(settings, kept));
    bytes = bytes + kept.bytes();
    size = entries.size();
  }

  /** Frees the one that was used longest ago; false if there is none. */
  boolean evict() {
    if (entries.isEmpty()) {
      return false;
    }
    remove(0);
    return true;
  }

  private void remove(int index) {
    KeptSequence kept = entries.remove(index).kept;
    bytes = bytes - kept.bytes();
    size = entries.size();
    kept.close();
  }

  /** Bytes of all that is kept. */
  long bytes() {
    return bytes;
  }

  int size() {
    return size;
  }

  long reusedTokens() {
    return reusedTokens;
  }

  long hits() {
    return hits;
  }
}
