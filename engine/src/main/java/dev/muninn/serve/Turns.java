package dev.muninn.serve;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.function.BooleanSupplier;

/** Lets threads compute one at a time, in the order in which they came. Thread-safe. */
final class Turns {
  /** How often a thread that waits looks whether it is cancelled, in milliseconds. */
  private static final long LOOK_MILLIS = 10;

  private final Deque<Object> waiting = new ArrayDeque<>();
  private Thread holder;

  /**
   * Refuses a thread whose turn it is: it comes from a listener or an exit criterion.
   *
   * @throws IllegalStateException if the model computes on this thread
   */
  synchronized void requireOutside() {
    if (holder == Thread.currentThread()) {
      throw new IllegalStateException(
          "the model is computing for this thread: a listener or an exit criterion must not call"
              + " it");
    }
  }

  /**
   * Waits for the caller's turn.
   *
   * @return false if it was cancelled, or interrupted, before that; the thread stays interrupted
   * @throws IllegalStateException if it is the caller's turn already
   */
  synchronized boolean begin(BooleanSupplier cancelled) {
    requireOutside();
    Object ticket = new Object();
    waiting.add(ticket);
    try {
      while (holder != null || waiting.peek() != ticket) {
        if (cancelled.getAsBoolean()) {
          return false;
        }
        wait(LOOK_MILLIS);
      }
      holder = Thread.currentThread();
      return true;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    } finally {
      waiting.remove(ticket);
      notifyAll();
    }
  }

  /** Waits for the caller's turn, whatever comes. */
  void beginInAnyCase() {
    boolean interrupted = Thread.interrupted();
    while (!begin(() -> false)) {
      interrupted |= Thread.interrupted();
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  /** Ends the caller's turn. */
  synchronized void end() {
    holder = null;
    notifyAll();
  }
}
