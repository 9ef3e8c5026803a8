package dev.muninn.serve;

import dev.muninn.backend.Backend;
import dev.muninn.cache.KeyValueLayout;
import dev.muninn.decode.DecodingOptions;
import dev.muninn.decode.InitialState;
import dev.muninn.decode.KeptSequence;
import dev.muninn.decode.SequenceTask;

/**
 * Keys and values that outlive a request, for prompts that go on from there. They belong to a
 * layout, initial states and decoding options, which are compared as values; when a request has
 * others, all is computed anew. Used by {@link RequestRunner} alone, in its turns.
 */
public final class SessionCache {
  private KeptSequence kept;
  private Settings settings;
  private boolean closed;

  /** The settings that keys and values depend on, beside the tokens. */
  private record Settings(
      KeyValueLayout layout, InitialState initialState, DecodingOptions decoding) {}

  /** Makes a task continue from here; returns the positions of its prompt that are kept. */
  int prepare(SequenceTask task, GenerationRequest request, Backend backend) {
    requireOpen();
    Settings wanted = new Settings(task.layout(), request.initialState(), request.decoding());
    if (!wanted.equals(settings)) {
      forget();
      kept = new KeptSequence(backend, task.layout());
      settings = wanted;
    }
    return task.continueFrom(kept);
  }

  void requireOpen() {
    if (closed) {
      throw new IllegalStateException("the session is closed");
    }
  }

  /** Positions whose keys and values are kept. */
  public int keptPositions() {
    return kept == null ? 0 : kept.length();
  }

  void forget() {
    if (kept != null) {
      kept.close();
      kept = null;
      settings = null;
    }
  }

  void close() {
    closed = true;
    forget();
  }
}
