package dev.muninn.decode;

/** A wish to stop early, heeded between two applications of the recurrent block. Thread-safe. */
public final class Cancellation {
  private final Cancellation outer;
  private volatile boolean cancelled;

  /** A wish of its own. */
  public Cancellation() {
    this(null);
  }

  private Cancellation(Cancellation outer) {
    this.outer = outer;
  }

  /** Is cancelled together with another, and may be before it. */
  public static Cancellation within(Cancellation outer) {
    return new Cancellation(outer);
  }

  public void cancel() {
    cancelled = true;
  }

  public boolean isCancelled() {
    return cancelled || outer != null && outer.isCancelled();
  }
}
