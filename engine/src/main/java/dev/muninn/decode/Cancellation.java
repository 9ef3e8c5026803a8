package dev.muninn.decode;

/** A wish to stop early, heeded between two applications of the recurrent block. Thread-safe. */
public final class Cancellation {
  private volatile boolean cancelled;

  public void cancel() {
    cancelled = true;
  }

  public boolean isCancelled() {
    return cancelled;
  }
}
