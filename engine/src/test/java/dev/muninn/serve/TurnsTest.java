package dev.muninn.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(value = 5, unit = TimeUnit.MINUTES)
class TurnsTest {
  private final Turns turns = new Turns();
  private final List<Integer> order = Collections.synchronizedList(new ArrayList<>());

  private Thread waiter(int number, boolean[] cancelled) throws InterruptedException {
    Thread thread =
        Thread.ofVirtual()
            .unstarted(() -> {
              if (turns.begin(() -> cancelled[number])) {
                order.add(number);
                turns.end();
              } else {
                order.add(-number);
              }
            });
    thread.start();
    while (thread.getState() != Thread.State.TIMED_WAITING) {
      Thread.onSpinWait();
    }
    return thread;
  }

  @Test
  void turnsComeInOrderAndACancelledWaiterLeaves() throws InterruptedException {
    boolean[] cancelled = new boolean[6];
    assertTrue(turns.begin(() -> false));
    List<Thread> threads = new ArrayList<>();
    for (int number = 1; number < 6; number++) {
      threads.add(waiter(number, cancelled));
    }
    threads.get(0).interrupt();
    threads.get(0).join();
    assertEquals(List.of(-1), order);
    turns.end();
    for (Thread thread : threads) {
      thread.join();
    }
    assertEquals(List.of(-1, 2, 3, 4, 5), order);
  }

  @Test
  void aThreadThatComputesIsRefused() {
    turns.requireOutside();
    assertTrue(turns.begin(() -> false));
    assertThrows(IllegalStateException.class, turns::requireOutside);
    assertThrows(IllegalStateException.class, () -> turns.begin(() -> false));
    assertThrows(IllegalStateException.class, turns::beginInAnyCase);
    turns.end();
    Thread.currentThread().interrupt();
    turns.beginInAnyCase();
    assertTrue(Thread.interrupted());
    turns.end();
    assertFalse(Thread.interrupted());
  }
}
