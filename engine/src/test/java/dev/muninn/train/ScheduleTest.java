package dev.muninn.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.train.Schedule.Decay;
import org.junit.jupiter.api.Test;

class ScheduleTest {

  @Test
  void risesStaysAndFalls() {
    Schedule schedule = new Schedule(100, 1, 1e-3, 10, Decay.NONE, 20, 0, 1);
    assertEquals(1e-4, schedule.learningRate(0), 1e-12);
    assertEquals(1e-3, schedule.learningRate(9), 1e-12);
    assertEquals(1e-3, schedule.learningRate(80), 1e-12);
    assertEquals(5e-4, schedule.learningRate(90), 1e-12);
    assertEquals(5e-5, schedule.learningRate(99), 1e-12);
  }

  @Test
  void decaysFromTheEndOfTheWarmUp() {
    Schedule schedule = new Schedule(1_000, 1, 1e-3, 10, Decay.INVERSE_SQUARE_ROOT, 0, 0, 1);
    assertEquals(1e-3, schedule.learningRate(9), 1e-12);
    assertEquals(5e-4, schedule.learningRate(39), 1e-12);
    assertEquals(1e-4, schedule.learningRate(999), 1e-12);
  }

  @Test
  void decaysWithoutWarmUp() {
    Schedule schedule = new Schedule(100, 1, 1e-3, 0, Decay.INVERSE_SQUARE_ROOT, 0, 0, 1);
    assertEquals(1e-3, schedule.learningRate(0), 1e-12);
    assertEquals(5e-4, schedule.learningRate(3), 1e-12);
  }

  @Test
  void coolsDownToNothingFromWhereverItIs() {
    Schedule schedule = new Schedule(400, 1, 1e-3, 100, Decay.INVERSE_SQUARE_ROOT, 100, 0, 1);
    double before = schedule.learningRate(299);
    assertEquals(1e-3 * Math.sqrt(100 / 300.0), before, 1e-12);
    assertTrue(schedule.learningRate(399) < before / 50);
  }
}
