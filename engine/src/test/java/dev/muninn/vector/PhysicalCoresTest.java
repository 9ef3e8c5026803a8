package dev.muninn.vector;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class PhysicalCoresTest {

  @Test
  void atLeastOneAndNoMoreThanProcessors() {
    int cores = PhysicalCores.count();
    assertTrue(cores >= 1, () -> cores + " cores");
    assertTrue(cores <= Runtime.getRuntime().availableProcessors(), () -> cores + " cores");
    assertEquals(cores, PhysicalCores.count());
  }
}
