package dev.muninn.serve;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BooleanSupplier;

/** Lets threads compute one at a time, in the order in which they came. Thread-safe. */
final class Turns {
  /** How often a thread that waits looks whether it is cancelled, in milliseconds. */
  private static final long LOOK_MILLIS = 10;

  private final Deque<Object> waiting = new ArrayDeque<>();
  private final Set<Thread> inCallback = ConcurrentHashMap.newKeySet();
  private Thread holder;

  /**
   * Refuses a thread whose turn it is: it comes from a listener or an exit criterion.
   *
   * @throws IllegalStateException if the model computes on this thread
   */
  synchronized void requireOutside() {
    if (holder == Thread.currentThread() || inCallback.contains(Thread.currentThread())) {
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

  /** Takes the turn if nobody computes or waits. */
  synchronized boolean tryBegin() {
    requireOutside();
    if (holder != null || !waiting.isEmpty()) {
      return false;
    }
    holder = Thread.currentThread();
    return true;
  }

  /** Whether somebody waits for a turn. */
  synchronized boolean isWanted() {
    return !waiting.isEmpty();
  }

  /** Runs a listener of a request that another thread computes: it must not call the model. */
  void callBack(Runnable listener) {
    inCallback.add(Thread.currentThread());
    try {
      listener.run();
    } finally {
      inCallback.remove(Thread.currentThread());
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
