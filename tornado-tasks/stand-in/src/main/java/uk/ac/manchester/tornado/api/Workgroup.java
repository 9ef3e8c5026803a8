package uk.ac.manchester.tornado.api;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntConsumer;

/** Work-items that run at the same time, each in a thread. */
final class Workgroup {
  /** Work-items of a warp. */
  static final int WARP = 32;

  private final int size;
  private final Workgroup[] warps;
  private final List<float[]> localArrays = new ArrayList<>();
  private int waiting;
  private int ended;
  private int meetings;
  private Throwable failure;

  Workgroup(int size) {
    this(size, new Workgroup[Math.ceilDiv(size, WARP)]);
    for (int i = 0; i < warps.length; i++) {
      warps[i] = new Workgroup(Math.min(WARP, size - i * WARP), new Workgroup[0]);
    }
  }

  private Workgroup(int size, Workgroup[] warps) {
    this.size = size;
    this.warps = warps;
  }

  /** The part of the group that a work-item shares registers with. */
  Workgroup warp(int item) {
    return warps[item / WARP];
  }

  int size() {
    return size;
  }

  /** Runs all work-items, by their index, and waits for them. */
  void run(IntConsumer item) {
    Thread[] threads = new Thread[size];
    for (int i = 0; i < size; i++) {
      int index = i;
      threads[i] = Thread.ofVirtual().start(() -> runOne(item, index));
    }
    for (Thread thread : threads) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        fail(e);
        Thread.currentThread().interrupt();
      }
    }
    if (failure != null) {
      throw new IllegalStateException("a workgroup failed: " + failure.getMessage(), failure);
    }
  }

  private void runOne(IntConsumer item, int index) {
    try {
      item.accept(index);
    } catch (RuntimeException | Error e) {
      fail(e);
    }
    end();
    warp(index).end();
  }

  private synchronized void fail(Throwable cause) {
    failure = failure == null ? cause : failure;
    notifyAll();
    for (Workgroup warp : warps) {
      warp.fail(cause);
    }
  }

  private synchronized void end() {
    ended++;
    if (waiting > 0 && failure == null) {
      // On a device this is undefined: it hangs, or reads what is not there yet.
      fail(new IllegalStateException("a work-item ended while others wait at a barrier"));
    }
  }

  /** Waits until all work-items are here. */
  synchronized void meet() {
    if (ended > 0) {
      fail(new IllegalStateException("a work-item waits at a barrier where another has ended"));
    }
    int meeting = meetings;
    waiting++;
    if (waiting == size) {
      waiting = 0;
      meetings++;
      notifyAll();
    }
    while (meeting == meetings && failure == null) {
      try {
        wait();
      } catch (InterruptedException e) {
        throw new IllegalStateException(e);
      }
    }
    if (failure != null) {
      throw new IllegalStateException(failure);
    }
  }

  /** The array that was asked for at this place among the arrays; filled with NaN. */
  synchronized float[] localArray(int place, int length) {
    while (localArrays.size() <= place) {
      float[] array = new float[length];
      Arrays.fill(array, Float.NaN);
      localArrays.add(array);
    }
    return localArrays.get(place);
  }
}
