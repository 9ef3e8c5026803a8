package dev.muninn.serve;

import dev.muninn.backend.Backend;
import dev.muninn.cache.KeyValueLayout;
import dev.muninn.decode.DecodingOptions;
import dev.muninn.decode.InitialState;
import dev.muninn.decode.KeptSequence;
import dev.muninn.decode.SequenceTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;

/**
 * Keys and values that outlive a request, for prompts that go on from there. They belong to a
 * layout, initial states and decoding options, which are compared as values; when a request has
 * others, all is computed anew. One request at a time uses it.
 */
public final class SessionCache {
  /** How often a thread that waits looks whether it is cancelled, in milliseconds. */
  private static final long LOOK_MILLIS = 10;

  private final ReentrantLock lock = new ReentrantLock(true);
  private KeptSequence kept;
  private Settings settings;
  private boolean closed;

  /** The settings that keys and values depend on, beside the tokens. */
  private record Settings(
      KeyValueLayout layout, InitialState initialState, DecodingOptions decoding) {}

  /**
   * Waits until no other request uses it.
   *
   * @return false if the caller no longer wants it; an interrupted thread stays interrupted
   */
  boolean lock(BooleanSupplier stopped) {
    try {
      while (!lock.tryLock(LOOK_MILLIS, TimeUnit.MILLISECONDS)) {
        if (stopped.getAsBoolean()) {
          return false;
        }
      }
      return true;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  /** Waits until no request uses it, whatever comes. */
  void lock() {
    lock.lock();
  }

  void unlock() {
    lock.unlock();
  }

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
