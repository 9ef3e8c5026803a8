package dev.muninn.kernel;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.lang.reflect.UndeclaredThrowableException;
import java.util.concurrent.locks.LockSupport;

/**
 * Threads that run one task together, the caller among them, and meet at barriers inside it. A
 * decode step of a small model lasts microseconds, so threads wait for each other by spinning;
 * those without a task for {@link #SPIN_NANOS} sleep until the next.
 */
public final class ThreadTeam implements AutoCloseable {
  /** The task that every thread of the team runs. */
  public interface Task {
    /**
     * @param thread from 0, the caller, to the team's size - 1
     */
    void run(int thread);
  }

  private static final long SPIN_NANOS = 500_000;
  private static final int SPINS_BEFORE_YIELD = 300;
  private static final VarHandle ARRIVED;
  private static final VarHandle FINISHED;
  private static final VarHandle CLAIMED;

  static {
    try {
      ARRIVED = MethodHandles.lookup().findVarHandle(ThreadTeam.class, "arrived", int.class);
      FINISHED = MethodHandles.lookup().findVarHandle(ThreadTeam.class, "finished", int.class);
      CLAIMED = MethodHandles.lookup().findVarHandle(ThreadTeam.class, "claimed", int.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private final int size;
  private final Thread[] workers;
  private final boolean[] asleep;
  private volatile int round;
  private volatile boolean closed;
  private volatile Throwable failure;
  private volatile int phase;
  private Task task;
  private boolean alone;

  private volatile int arrived;
  private volatile int finished;
  private volatile int claimed;

  /** A team of {@code size} threads; size - 1 of them are started here. */
  public ThreadTeam(int size) {
    this.size = size;
    this.asleep = new boolean[size];
    this.workers = new Thread[size];
    for (int i = 1; i < size; i++) {
      int index = i;
      workers[i] = Thread.ofPlatform().daemon().name("muninn-" + i).unstarted(() -> work(index));
    }
    try {
      for (int i = 1; i < size; i++) {
        workers[i].start();
      }
    } catch (Throwable e) {
      // Such as the system's limit of threads: those that run would wait for ever.
      close();
      throw e;
    }
  }

  /** Threads of the team, the caller included. */
  public int size() {
    return size;
  }

  /**
   * Runs a task on all threads and returns when all have ended, whatever they threw. The team can
   * be used again.
   *
   * @throws RuntimeException or an Error that one of them threw
   */
  public void run(Task task) {
    if (size == 1) {
      runAlone(task);
      return;
    }
    alone = false;
    if (closed) {
      throw new IllegalStateException("the thread team is closed");
    }
    this.task = task;
    round++;
    synchronized (asleep) {
      for (int i = 1; i < size; i++) {
        if (asleep[i]) {
          asleep[i] = false;
          LockSupport.unpark(workers[i]);
        }
      }
    }
    attempt(task, 0);
    awaitOthers();
    finished = 0;
    Throwable thrown = failure;
    if (thrown != null) {
      arrived = 0;
      failure = null;
      switch (thrown) {
        case Error error -> throw error;
        case RuntimeException exception -> throw exception;
        default -> throw new UndeclaredThrowableException(thrown);
      }
    }
  }

  /** Waits until the other threads have ended, whatever is thrown meanwhile. */
  private void awaitOthers() {
    while (finished < size - 1) {
      try {
        for (int spins = 0; finished < size - 1; spins++) {
          pause(spins);
        }
      } catch (Throwable e) {
        failure = e;
      }
    }
  }

  /** Runs a task on the caller only: the other threads' processors are left to others. */
  public void runAlone(Task task) {
    alone = true;
    task.run(0);
  }

  /** Threads that run the task under way. */
  public int running() {
    return alone ? 1 : size;
  }

  /** The first of the units that are a thread's if each thread of the run has as many. */
  public int share(int units, int thread) {
    return (int) ((long) units * thread / running());
  }

  /** Begins to hand out a range from 0 on; by one thread, a barrier before the first claim. */
  public void resetClaims() {
    claimed = 0;
  }

  /** Takes the next {@code count} of the range: their beginning, which may lie behind its end. */
  public int claim(int count) {
    return (int) CLAIMED.getAndAdd(this, count);
  }

  /** Waits until every thread that runs the task has come here. */
  public void barrier() {
    if (alone) {
      return;
    }
    int current = phase;
    if ((int) ARRIVED.getAndAdd(this, 1) == size - 1) {
      arrived = 0;
      phase = current + 1;
      return;
    }
    for (int spins = 0; phase == current; spins++) {
      if (failure != null) {
        throw Abandoned.INSTANCE;
      }
      pause(spins);
    }
  }

  private static void pause(int spins) {
    if (spins < SPINS_BEFORE_YIELD) {
      Thread.onSpinWait();
    } else {
      Thread.yield();
    }
  }

  /** Runs a task; what it throws is kept for the caller of the team, whatever that is. */
  private void attempt(Task task, int thread) {
    try {
      task.run(thread);
    } catch (Abandoned e) {
      // The failure of the thread that was waited for is the one to report.
    } catch (Throwable e) {
      failure = e;
    }
  }

  private void work(int thread) {
    int seen = 0;
    boolean running = false;
    while (true) {
      try {
        if (!running) {
          awaitRound(thread, seen);
          if (round == seen) {
            return;
          }
          seen++;
          running = true;
          attempt(task, thread);
        }
        FINISHED.getAndAdd(this, 1);
        running = false;
      } catch (Throwable e) {
        // An error may come late: a fault of mapped memory is thrown some time after it. A thread
        // that ended here would be waited for in vain.
        failure = e;
      }
    }
  }

  /** Waits until there is another task than those seen, or the team is closed. */
  private void awaitRound(int thread, int seen) {
    long since = System.nanoTime();
    for (int spins = 0; round == seen && !closed; spins++) {
      if (spins < SPINS_BEFORE_YIELD || System.nanoTime() - since < SPIN_NANOS) {
        pause(spins);
      } else {
        sleep(thread, seen);
      }
    }
  }

  private void sleep(int thread, int seen) {
    synchronized (asleep) {
      if (round != seen || closed) {
        return;
      }
      asleep[thread] = true;
    }
    while (isAsleep(thread)) {
      LockSupport.park(this);
    }
  }

  private boolean isAsleep(int thread) {
    synchronized (asleep) {
      return asleep[thread];
    }
  }

  @Override
  public void close() {
    closed = true;
    synchronized (asleep) {
      for (int i = 1; i < size; i++) {
        asleep[i] = false;
        LockSupport.unpark(workers[i]);
      }
    }
    boolean interrupted = false;
    for (int i = 1; i < size; i++) {
      while (workers[i].isAlive()) {
        try {
          workers[i].join();
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  /** Unwinds a thread that waits for one that failed. */
  private static final class Abandoned extends RuntimeException {
    private static final long serialVersionUID = 1;

    /** None is made while memory may be short. */
    static final Abandoned INSTANCE = new Abandoned();

    private Abandoned() {
      super(null, null, false, false);
    }
  }
}
