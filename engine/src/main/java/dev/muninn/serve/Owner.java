package dev.muninn.serve;

import dev.muninn.backend.Backend;
import dev.muninn.decode.Scheduler;
import dev.muninn.weights.Checkpoint;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/**
 * Owns the scheduler. Requests wait here, first come, first served, until there is a place and
 * memory for their keys and values; each call of the recurrent block then carries the rows of all
 * that are computed. A thread of its own computes, or a caller who has nothing to wait for. What
 * ends one request ends no other. Thread-safe.
 */
final class Owner {
  private final ServedModel model;
  private final Backend backend;
  private final Checkpoint checkpoint;
  private final ServiceOptions options;
  private final Turns turns = new Turns();

  /** Guards itself, the thread, the state and the set of requests. */
  private final Deque<Job> queue = new ArrayDeque<>();

  private final Set<Job> unfinished = new LinkedHashSet<>();

  private Thread thread;
  private boolean refusing;
  private boolean closed;

  // What follows belongs to the thread whose turn it is.
  private final List<Job> running = new ArrayList<>();
  private final List<Job> admitted = new ArrayList<>();
  private final PrefixStore prefixes = new PrefixStore();
  private Scheduler scheduler;

  /** Written by the thread whose turn it is. */
  private volatile long reserved;

  private volatile int runningCount;
  private volatile long coreCalls;
  private volatile long coreRows;

  Owner(ServedModel model, Backend backend, Checkpoint checkpoint, ServiceOptions options) {
    this.model = model;
    this.backend = backend;
    this.checkpoint = checkpoint;
    this.options = options;
  }

  /** Refuses threads that compute, or deliver to a listener. */
  void requireOutside() {
    turns.requireOutside();
  }

  /** Runs a listener of a request that another thread computes. */
  void callBack(Runnable listener) {
    turns.callBack(listener);
  }

  void requireOpen() {
    synchronized (queue) {
      if (closed) {
        throw new IllegalStateException("the model is closed");
      }
      if (refusing) {
        throw new IllegalStateException("the model takes no more requests");
      }
    }
  }

  /** Makes the caller the one who computes, if there is nothing else to do. */
  boolean tryLead() {
    synchronized (queue) {
      return unfinished.isEmpty() && !refusing && turns.tryBegin();
    }
  }

  /** Leaves what there is still to do to others. */
  void endLead() {
    turns.end();
    synchronized (queue) {
      if (!unfinished.isEmpty()) {
        wake();
      }
    }
  }

  /**
   * Takes a request in.
   *
   * @param bounded whether it is refused where the queue is full
   * @param computed whether the caller is the one who computes
   * @throws IllegalArgumentException if its keys and values need more memory than there may be
   * @throws QueueFullException if too many wait
   */
  void enqueue(Job job, boolean bounded, boolean computed) {
    job.task().cancelWhen(job::isCancelled);
    requireFits(job);
    synchronized (queue) {
      requireOpen();
      if (bounded && unfinished.size() >= (long) options.parallel() + options.maxQueue()) {
        throw new QueueFullException(options.maxQueue());
      }
      queue.add(job);
      unfinished.add(job);
      if (!computed) {
        wake();
      }
    }
  }

  /** Refuses a request that can never begin. */
  void requireFits(Job job) {
    if (job.bytes() > options.keyValueBytes()) {
      throw new IllegalArgumentException(
          "keys and values of "
              + job.task().layout().capacity()
              + " positions at "
              + job.task().layout().recurrences()
              + " recurrences need "
              + job.bytes()
              + " bytes, more than the "
              + options.keyValueBytes()
              + " that there may be");
    }
  }

  private void wake() {
    if (thread == null) {
      thread = Thread.ofPlatform().daemon().name("muninn-owner").start(this::work);
    }
    queue.notifyAll();
  }

  private void work() {
    while (awaitWork()) {
      turns.beginInAnyCase();
      try {
        boolean more = true;
        while (more && !turns.isWanted()) {
          more = step();
        }
      } finally {
        turns.end();
      }
    }
  }

  private boolean awaitWork() {
    synchronized (queue) {
      while (unfinished.isEmpty()) {
        if (closed) {
          return false;
        }
        try {
          queue.wait();
        } catch (InterruptedException e) {
          // A listener interrupted the thread: that is none of its business.
          Thread.interrupted();
        }
      }
    }
    return true;
  }

  /** Ends a request: one that waits at once, one that is computed between two forwards. */
  void cancel(Job job) {
    job.cancel();
    boolean waited;
    synchronized (queue) {
      waited = queue.remove(job);
      if (waited) {
        unfinished.remove(job);
        queue.notifyAll();
      }
    }
    if (waited) {
      job.complete();
    }
  }

  /**
   * Takes in what there is room for, and applies the recurrent block once to all rows. Only for the
   * thread whose turn it is.
   *
   * @return whether there is more to do
   */
  boolean step() {
    admit();
    if (!running.isEmpty()) {
      try {
        checkpoint.watch();
        scheduler.step();
      } catch (RuntimeException | Error e) {
        scheduler.fail(checkpoint.explain(e));
      }
      for (int i = running.size() - 1; i >= 0; i--) {
        if (running.get(i).isOver()) {
          end(running.remove(i));
        }
      }
      note();
    }
    synchronized (queue) {
      return !unfinished.isEmpty();
    }
  }

  private void admit() {
    synchronized (queue) {
      while (!queue.isEmpty() && hasRoom(queue.peek())) {
        Job job = queue.remove();
        reserve(job.bytes());
        admitted.add(job);
      }
    }
    for (Job job : admitted) {
      try {
        checkpoint.verifyUnchanged();
        job.prepare(backend, prefixes);
        if (scheduler == null) {
          scheduler = Scheduler.growing(backend, model.architecture(), Scheduler.rows(job.task()));
        }
        scheduler.add(job.task());
        running.add(job);
      } catch (RuntimeException | Error e) {
        job.failed(checkpoint.explain(e));
        end(job);
      }
    }
    admitted.clear();
  }

  private boolean hasRoom(Job job) {
    int beside = running.size() + admitted.size();
    if (beside >= Math.max(options.parallel(), job.mostBeside())) {
      return false;
    }
    // The first always has room: it would have been refused else.
    while (reserved + prefixes.bytes() > options.keyValueBytes() - job.bytes()) {
      if (!prefixes.evict()) {
        return false;
      }
    }
    return true;
  }

  private void end(Job job) {
    reserve(-job.bytes());
    job.release(prefixes);
    while (reserved + prefixes.bytes() > options.keyValueBytes() && prefixes.evict()) {
      // What is kept gives way.
    }
    synchronized (queue) {
      unfinished.remove(job);
      queue.notifyAll();
    }
    job.complete();
  }

  private void reserve(long bytes) {
    reserved = reserved + bytes;
  }

  private void note() {
    runningCount = running.size();
    coreCalls = scheduler.corePasses();
    coreRows = scheduler.coreRows();
  }

  /** What there is to do, and what was done. */
  ServiceLoad load() {
    int waiting;
    synchronized (queue) {
      waiting = queue.size();
    }
    return new ServiceLoad(
        runningCount,
        waiting,
        reserved,
        prefixes.bytes(),
        prefixes.size(),
        prefixes.reusedTokens(),
        prefixes.hits(),
        coreCalls,
        coreRows);
  }

  /**
   * Computes something without the scheduler, when it is the caller's turn.
   *
   * @return empty if the caller stopped waiting
   */
  <T> Optional<T> exclusively(BooleanSupplier stopped, Supplier<T> computation) {
    if (!turns.begin(stopped)) {
      return Optional.empty();
    }
    try {
      requireOpen();
      checkpoint.verifyUnchanged();
      return Optional.of(checkpoint.guard(computation::get));
    } finally {
      turns.end();
    }
  }

  /** Does something short between two forwards, whatever is computed. */
  void betweenForwards(Runnable action) {
    turns.beginInAnyCase();
    try {
      action.run();
    } finally {
      turns.end();
    }
  }

  /**
   * Takes no more requests, and waits for the end of those that there are.
   *
   * @param limit what has not ended by then is cancelled
   */
  void drain(Duration limit) throws InterruptedException {
    long end = System.nanoTime() + limit.toNanos();
    List<Job> all;
    List<Job> late;
    synchronized (queue) {
      refusing = true;
      all = List.copyOf(unfinished);
      long left = end - System.nanoTime();
      while (!unfinished.isEmpty() && left > 0) {
        queue.wait(left / 1_000_000 + 1);
        left = end - System.nanoTime();
      }
      late = List.copyOf(unfinished);
    }
    late.forEach(this::cancel);
    for (Job job : all) {
      if (!late.contains(job)) {
        // It has left the queue, but its caller may not have heard of it yet.
        job.await();
      }
    }
  }

  /**
   * Takes no more requests, refuses those that wait, waits for those that are computed, and frees
   * all.
   *
   * @param free what else is to be freed
   */
  void close(Runnable free) {
    requireOutside();
    List<Job> refused;
    boolean interrupted = false;
    synchronized (queue) {
      refusing = true;
      refused = List.copyOf(queue);
      queue.clear();
      refused.forEach(unfinished::remove);
    }
    for (Job job : refused) {
      job.failed(new IllegalStateException("the model is closed"));
      job.complete();
    }
    synchronized (queue) {
      while (!unfinished.isEmpty()) {
        try {
          queue.wait();
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
    }
    betweenForwards(() -> {
      synchronized (queue) {
        if (closed) {
          return;
        }
        closed = true;
        queue.notifyAll();
      }
      while (prefixes.evict()) {
        // Until nothing is kept.
      }
      if (scheduler != null) {
        scheduler.close();
      }
      free.run();
    });
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
