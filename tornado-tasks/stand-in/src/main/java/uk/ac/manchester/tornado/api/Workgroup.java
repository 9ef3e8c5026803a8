package uk.ac.manchester.tornado.api;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.function.IntConsumer;
import java.util.function.Supplier;
import uk.ac.manchester.tornado.api.types.HalfFloat;

/** Work-items that run at the same time, each in a thread. */
final class Workgroup {
  /** Work-items of a warp. */
  static final int WARP = 32;

  private final int size;
  private final Workgroup[] warps;
  private final Map<Thread, Pilot> pilots;
  private final List<Object> localArrays = new ArrayList<>();
  private final HalfFloat[][][] shown = new HalfFloat[2][][];
  private int waiting;
  private int ended;
  private CountDownLatch next = new CountDownLatch(1);
  private volatile Throwable failure;

  Workgroup(int size) {
    this(size, new Workgroup[Math.ceilDiv(size, WARP)], new ConcurrentHashMap<>());
    for (int i = 0; i < warps.length; i++) {
      warps[i] = new Workgroup(Math.min(WARP, size - i * WARP), new Workgroup[0], pilots);
    }
  }

  private Workgroup(int size, Workgroup[] warps, Map<Thread, Pilot> pilots) {
    this.size = size;
    this.warps = warps;
    this.pilots = pilots;
  }

  /** The part of the group that a work-item shares registers with. */
  Workgroup warp(int item) {
    return warps[item / WARP];
  }

  int size() {
    return size;
  }

  /** The first work-item of a warp, and what it does first: wait at a barrier, or end. */
  private static final class Pilot {
    final CountDownLatch settled = new CountDownLatch(1);
    volatile boolean ended;
  }

  /**
   * Runs all work-items, by their index, and waits for them. Where the first of a warp ends without
   * a barrier the others may not wait at one either, and need no threads.
   */
  void run(IntConsumer item) {
    List<Thread> threads = new ArrayList<>();
    for (int warp = 0; warp < warps.length; warp++) {
      int first = warp * WARP;
      int end = first + warps[warp].size;
      Pilot pilot = new Pilot();
      Thread ahead =
          Thread.ofVirtual()
              .unstarted(() -> {
                runOne(item, first);
                pilot.ended = true;
                pilot.settled.countDown();
              });
      pilots.put(ahead, pilot);
      ahead.start();
      threads.add(ahead);
      await(pilot.settled::await);
      for (int i = first + 1; i < end; i++) {
        int index = i;
        if (pilot.ended) {
          runOne(item, index);
        } else {
          threads.add(Thread.ofVirtual().start(() -> runOne(item, index)));
        }
      }
    }
    threads.forEach(thread -> await(thread::join));
    if (failure != null) {
      throw new IllegalStateException("a workgroup failed: " + failure.getMessage(), failure);
    }
  }

  /** Something that takes time. */
  private interface Wait {
    void run() throws InterruptedException;
  }

  private void await(Wait wait) {
    try {
      wait.run();
    } catch (InterruptedException e) {
      fail(e);
      Thread.currentThread().interrupt();
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
    next.countDown();
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
  void meet() {
    Pilot pilot = pilots.remove(Thread.currentThread());
    if (pilot != null) {
      pilot.settled.countDown();
    }
    CountDownLatch meeting = arrive();
    await(meeting::await);
    if (failure != null) {
      throw new IllegalStateException(failure);
    }
  }

  /** What opens when the last arrives. */
  private synchronized CountDownLatch arrive() {
    if (ended > 0) {
      fail(new IllegalStateException("a work-item waits at a barrier where another has ended"));
    }
    CountDownLatch meeting = next;
    waiting++;
    if (waiting == size || failure != null) {
      waiting = 0;
      next = new CountDownLatch(1);
      meeting.countDown();
    }
    return meeting;
  }

  /** The array that was asked for at this place among the arrays; filled with NaN. */
  float[] localArray(int place, int length) {
    return (float[])
        local(
            place,
            () -> {
              float[] array = new float[length];
              Arrays.fill(array, Float.NaN);
              return array;
            });
  }

  /** The same of ints; filled with pairs of NaN in 16 bits. */
  int[] localInts(int place, int length) {
    return (int[])
        local(
            place,
            () -> {
              int[] array = new int[length];
              Arrays.fill(array, 0x7FC07FC0);
              return array;
            });
  }

  private synchronized Object local(int place, Supplier<Object> array) {
    while (localArrays.size() <= place) {
      localArrays.add(array.get());
    }
    return localArrays.get(place);
  }

  /**
   * What all work-items show before they meet: two fragments of each. No work-item is more than one
   * meeting ahead of another that still looks, so two tables take turns.
   *
   * @param meeting how often this work-item has shown something before
   */
  synchronized HalfFloat[][] show(int meeting, int item, HalfFloat[] first, HalfFloat[] second) {
    HalfFloat[][] table = shown[meeting % 2];
    if (table == null) {
      table = new HalfFloat[2 * size][];
      shown[meeting % 2] = table;
    }
    table[2 * item] = first;
    table[2 * item + 1] = second;
    return table;
  }
}
