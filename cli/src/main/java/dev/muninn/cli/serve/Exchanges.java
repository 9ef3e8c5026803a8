package dev.muninn.cli.serve;

import java.time.Duration;

/** Counts the requests that are being answered. Thread-safe. */
final class Exchanges {
  private int count;

  synchronized void begin() {
    count++;
  }

  synchronized void end() {
    count--;
    notifyAll();
  }

  /** Waits until there is none, but not for long. */
  synchronized void awaitNone(Duration limit) throws InterruptedException {
    long end = System.nanoTime() + limit.toNanos();
    long left = limit.toNanos();
    while (count > 0 && left > 0) {
      wait(left / 1_000_000 + 1);
      left = end - System.nanoTime();
    }
  }
}
