package dev.muninn.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.reflect.UndeclaredThrowableException;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Threads that wait by spinning cannot be interrupted, so each test runs in a thread of its own: a
 * hang is then a failure and not the end of the run.
 */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class ThreadTeamTest {

  /** More threads than most build machines have cores are among them. */
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4, 7})
  void everyThreadRunsEveryTaskOnce(int size) {
    try (ThreadTeam team = new ThreadTeam(size)) {
      assertEquals(size, team.size());
      AtomicIntegerArray runs = new AtomicIntegerArray(size);
      for (int round = 1; round <= 50; round++) {
        team.run(runs::incrementAndGet);
        for (int thread = 0; thread < size; thread++) {
          assertEquals(round, runs.get(thread), "runs of thread " + thread);
        }
      }
    }
  }

  @Test
  void theCallerIsThreadZero() {
    try (ThreadTeam team = new ThreadTeam(3)) {
      Thread[] threads = threadsOf(team);
      assertSame(Thread.currentThread(), threads[0]);
      assertEquals("muninn-1", threads[1].getName());
      assertEquals("muninn-2", threads[2].getName());
      assertTrue(threads[1].isDaemon());
    }
  }

  /**
   * Every thread sets its own cell, and behind the barrier sees those of all others: a thread that
   * is let through early sees an old one, and one that runs ahead a new one.
   */
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4})
  void barriersDividePhases(int size) {
    int phases = 300;
    int[] cells = new int[size];
    try (ThreadTeam team = new ThreadTeam(size)) {
      for (int round = 0; round < 5; round++) {
        int base = round * phases;
        team.run(thread -> {
          for (int phase = 1; phase <= phases; phase++) {
            cells[thread] = base + phase;
            team.barrier();
            for (int other = 0; other < size; other++) {
              assertEquals(base + phase, cells[other], "phase of thread " + other);
            }
            team.barrier();
          }
        });
      }
    }
  }

  /** Threads come to a barrier in all orders, the caller last as well as first. */
  @Test
  void lateThreadsAreWaitedFor() {
    int size = 3;
    int[] cells = new int[size];
    try (ThreadTeam team = new ThreadTeam(size)) {
      for (int round = 1; round <= 12; round++) {
        int now = round;
        team.run(thread -> {
          if (thread == now % size) {
            sleepMilliseconds(3);
          }
          cells[thread] = now;
          team.barrier();
          for (int other = 0; other < size; other++) {
            assertEquals(now, cells[other], "round of thread " + other);
          }
        });
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"1,3000", "2,3000", "3,1500", "4,1000"})
  void thousandsOfTinyRounds(int size, int rounds) {
    AtomicInteger runs = new AtomicInteger();
    try (ThreadTeam team = new ThreadTeam(size)) {
      for (int round = 0; round < rounds; round++) {
        team.run(thread -> {
          runs.incrementAndGet();
          team.barrier();
        });
        assertEquals((round + 1) * size, runs.get());
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"1,0", "2,0", "2,1", "3,0", "3,1", "3,2", "4,0", "4,3"})
  void aFailureReachesTheCallerAndLeavesTheTeamUsable(int size, int failing) {
    try (ThreadTeam team = new ThreadTeam(size)) {
      for (int round = 0; round < 20; round++) {
        RuntimeException exception = new IllegalStateException("round " + round);
        // The others wait for the failing thread at its first barrier, or at a later one.
        int phases = round % 3;
        RuntimeException thrown =
            assertThrows(
                RuntimeException.class,
                () ->
                    team.run(thread -> {
                      for (int phase = 0; phase < phases; phase++) {
                        team.barrier();
                      }
                      if (thread == failing) {
                        throw exception;
                      }
                      team.barrier();
                      team.barrier();
                    }));
        assertSame(exception, thrown);
        assertUsable(team);
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"1,0", "2,0", "2,1", "3,2"})
  void anErrorReachesTheCallerToo(int size, int failing) {
    try (ThreadTeam team = new ThreadTeam(size)) {
      Error error = new OutOfMemoryError("of a test");
      Error thrown =
          assertThrows(
              Error.class,
              () ->
                  team.run(thread -> {
                    if (thread == failing) {
                      throw error;
                    }
                  }));
      assertSame(error, thrown);
      assertUsable(team);
    }
  }

  /** A checked exception is thrown by code that does not say so, as other languages' may be. */
  @ParameterizedTest
  @CsvSource({"2,0", "2,1", "3,2"})
  void whateverIsThrownReachesTheCaller(int size, int failing) {
    try (ThreadTeam team = new ThreadTeam(size)) {
      for (Throwable thrown : List.of(new IOException("of a test"), new Throwable("of a test"))) {
        UndeclaredThrowableException wrapped =
            assertThrows(
                UndeclaredThrowableException.class,
                () ->
                    team.run(thread -> {
                      if (thread == failing) {
                        ThreadTeamTest.<RuntimeException>sneak(thrown);
                      }
                      team.barrier();
                    }));
        assertSame(thrown, wrapped.getCause());
        assertUsable(team);
      }
    }
  }

  @SuppressWarnings("unchecked")
  private static <T extends Throwable> void sneak(Throwable thrown) throws T {
    throw (T) thrown;
  }

  /** As a kernel whose input no memory or no stack is left for. */
  @ParameterizedTest
  @ValueSource(ints = {0, 1})
  void errorsOfTheMachineReachTheCaller(int failing) {
    try (ThreadTeam team = new ThreadTeam(2)) {
      for (int round = 0; round < 3; round++) {
        assertThrows(
            StackOverflowError.class,
            () ->
                team.run(thread -> {
                  if (thread == failing) {
                    descend(0);
                  }
                  team.barrier();
                }));
        assertUsable(team);
        assertThrows(
            OutOfMemoryError.class,
            () ->
                team.run(thread -> {
                  if (thread == failing) {
                    assertNotNull(new long[Integer.MAX_VALUE]);
                  }
                  team.barrier();
                }));
        assertUsable(team);
      }
    }
  }

  private static int descend(int depth) {
    return depth < 0 ? 0 : descend(depth + 1) + 1;
  }

  /** A task that was handed out is run to its end. */
  @Test
  void closingFromWithinTaskEndsIt() {
    ThreadTeam team = new ThreadTeam(3);
    AtomicInteger runs = new AtomicInteger();
    Thread[] closer = new Thread[1];
    team.run(thread -> {
      if (thread == 0) {
        closer[0] = Thread.ofPlatform().daemon().start(team::close);
        sleepMilliseconds(20);
      }
      team.barrier();
      runs.incrementAndGet();
    });
    assertEquals(3, runs.get());
    assertThrows(IllegalStateException.class, () -> team.run(thread -> {}));
  }

  @Test
  void whenAllThreadsFailOneOfTheirFailuresIsThrown() {
    try (ThreadTeam team = new ThreadTeam(4)) {
      for (int round = 0; round < 20; round++) {
        RuntimeException[] failures = new RuntimeException[4];
        RuntimeException thrown =
            assertThrows(
                RuntimeException.class,
                () ->
                    team.run(thread -> {
                      failures[thread] = new IllegalStateException("thread " + thread);
                      throw failures[thread];
                    }));
        assertTrue(List.of(failures).contains(thrown), () -> "thrown: " + thrown);
        assertUsable(team);
      }
    }
  }

  private static void assertUsable(ThreadTeam team) {
    AtomicInteger runs = new AtomicInteger();
    int size = team.size();
    team.run(thread -> {
      runs.incrementAndGet();
      team.barrier();
      assertEquals(size, runs.get());
      team.barrier();
      runs.incrementAndGet();
    });
    assertEquals(2 * size, runs.get());
  }

  @ParameterizedTest
  @CsvSource({"1,1", "2,1", "3,4", "4,7"})
  void everyPartOfRangeIsClaimedOnce(int size, int step) {
    // So many claims that threads meet in the middle of one.
    int range = 20_000;
    try (ThreadTeam team = new ThreadTeam(size)) {
      for (int round = 0; round < 5; round++) {
        AtomicIntegerArray claims = new AtomicIntegerArray(range);
        team.run(thread -> {
          for (int product = 0; product < 2; product++) {
            if (thread == 0) {
              team.resetClaims();
            }
            team.barrier();
            for (int from = team.claim(step); from < range; from = team.claim(step)) {
              for (int i = from; i < Math.min(range, from + step); i++) {
                claims.incrementAndGet(i);
              }
            }
            team.barrier();
          }
        });
        for (int i = 0; i < range; i++) {
          assertEquals(2, claims.get(i), "claims of " + i);
        }
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3})
  void aTaskMayRunOnTheCallerAlone(int size) {
    try (ThreadTeam team = new ThreadTeam(size)) {
      for (int round = 0; round < 20; round++) {
        AtomicInteger runs = new AtomicInteger();
        team.runAlone(thread -> {
          assertEquals(0, thread);
          assertEquals(1, team.running());
          team.barrier();
          runs.incrementAndGet();
        });
        assertEquals(1, runs.get());
        team.run(thread -> assertEquals(size, team.running()));
        assertUsable(team);
        assertThrows(
            IllegalStateException.class,
            () ->
                team.runAlone(thread -> {
                  throw new IllegalStateException();
                }));
        assertUsable(team);
      }
    }
  }

  @Test
  void idleThreadsSleepAndWakeForTheNextTask() {
    try (ThreadTeam team = new ThreadTeam(3)) {
      for (int round = 0; round < 5; round++) {
        Thread[] threads = threadsOf(team);
        awaitSleep(threads[1]);
        awaitSleep(threads[2]);
        assertUsable(team);
      }
      // Pauses around the time after which a thread falls asleep: the task meets it on its way.
      for (int round = 0; round < 300; round++) {
        long until = System.nanoTime() + 450_000 + round * 500;
        while (System.nanoTime() < until) {
          Thread.onSpinWait();
        }
        assertUsable(team);
      }
    }
  }

  @Test
  void closingEndsTheThreads() {
    ThreadTeam awake = new ThreadTeam(3);
    Thread[] spinning = threadsOf(awake);
    awake.close();
    ThreadTeam idle = new ThreadTeam(3);
    Thread[] sleeping = threadsOf(idle);
    awaitSleep(sleeping[1]);
    awaitSleep(sleeping[2]);
    idle.close();
    ThreadTeam unused = new ThreadTeam(3);
    unused.close();
    for (int thread = 1; thread < 3; thread++) {
      assertFalse(spinning[thread].isAlive(), "thread " + thread);
      assertFalse(sleeping[thread].isAlive(), "thread " + thread);
    }
    awake.close();
    assertThrows(IllegalStateException.class, () -> awake.run(thread -> {}));
  }

  @Test
  void closingKeepsAnInterruptForTheCaller() {
    ThreadTeam team = new ThreadTeam(2);
    Thread[] threads = threadsOf(team);
    Thread.currentThread().interrupt();
    team.close();
    assertTrue(Thread.interrupted());
    assertFalse(threads[1].isAlive());
  }

  private static Thread[] threadsOf(ThreadTeam team) {
    Thread[] threads = new Thread[team.size()];
    team.run(thread -> threads[thread] = Thread.currentThread());
    return threads;
  }

  private static void awaitSleep(Thread thread) {
    while (thread.getState() != Thread.State.WAITING) {
      sleepMilliseconds(1);
    }
  }

  private static void sleepMilliseconds(int milliseconds) {
    try {
      Thread.sleep(milliseconds);
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }
}
