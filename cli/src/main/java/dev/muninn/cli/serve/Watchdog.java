package dev.muninn.cli.serve;

import java.io.IOException;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Ends what takes a client too long. The thread that reads or writes is interrupted, which closes
 * its connection. Closing it ends the watch.
 */
final class Watchdog implements AutoCloseable {
  private static final long LOOK_MILLIS = 250;

  private final long limitNanos;
  private final Set<Watch> watches = ConcurrentHashMap.newKeySet();
  private final Thread thread;

  /** Watches from now on; each reading or writing may take so long. */
  Watchdog(Duration limit) {
    this.limitNanos = limit.toNanos();
    this.thread = Thread.ofPlatform().daemon().name("muninn-watchdog").start(this::look);
  }

  /** Reads or writes. */
  @FunctionalInterface
  interface Action<T> {
    T run() throws IOException;
  }

  /** Does something of the caller's that ends in time, or fails. */
  <T> T within(Action<T> action) throws IOException {
    Watch watch = new Watch(Thread.currentThread(), System.nanoTime() + limitNanos);
    watches.add(watch);
    try {
      return action.run();
    } finally {
      watches.remove(watch);
      watch.end();
    }
  }

  private void look() {
    try {
      while (true) {
        Thread.sleep(LOOK_MILLIS);
        long now = System.nanoTime();
        for (Watch watch : watches) {
          watch.interruptAfter(now);
        }
      }
    } catch (InterruptedException e) {
      // Closed.
    }
  }

  @Override
  public void close() {
    thread.interrupt();
  }

  private static final class Watch {
    private final Thread thread;
    private final long end;
    private boolean over;

    Watch(Thread thread, long end) {
      this.thread = thread;
      this.end = end;
    }

    synchronized void interruptAfter(long now) {
      if (!over && now - end > 0) {
        over = true;
        thread.interrupt();
      }
    }

    /** The interrupt, if there was one, was for this alone. */
    synchronized void end() {
      if (over) {
        Thread.interrupted();
      }
      over = true;
    }
  }
}
