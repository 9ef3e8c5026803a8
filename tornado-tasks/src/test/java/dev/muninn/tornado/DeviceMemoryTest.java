package dev.muninn.tornado;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.Fixture;
import dev.muninn.backend.Backend;
import dev.muninn.backend.DeviceMemoryException;
import dev.muninn.cache.KeyValueLayout;
import dev.muninn.cache.KeyValueStore;
import dev.muninn.cache.SlotPolicy;
import dev.muninn.tornado.kernel.CacheFormat;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** What fits on a device, and what is said of what does not. */
class DeviceMemoryTest {
  private static final String NAME = "raven-1-4-1-bf16";

  @Test
  void aModelThatDoesNotFitIsRefusedWithTheFigures() {
    try (Fixture fixture = new Fixture(NAME)) {
      DeviceMemory memory = DeviceMemory.of("gpu-7", 1_000_000, 1_000_000, fixture.model(), 32);
      String message = assertThrows(DeviceMemoryException.class, memory::sizes).getMessage();
      assertTrue(message.startsWith("gpu-7 has 0.001 GB"), message);
      for (String part : List.of("weights", "work", "keys and values")) {
        assertTrue(message.matches(".*" + part + "[a-z0-9 ]* \\d+\\.\\d{3} GB.*"), message);
      }
      assertTrue(message.contains("--backend vector"), message);
    }
  }

  @Test
  void moreMemoryHoldsMoreSequencesUpToABound() {
    try (Fixture fixture = new Fixture(NAME)) {
      int context = fixture.model().contextLength();
      int before = 0;
      for (long bytes = 40_000_000; bytes < 100_000_000_000L; bytes *= 2) {
        DeviceMemory memory =
            DeviceMemory.of("gpu", bytes, bytes / 4, fixture.model(), DeviceModel.MOST_ROWS);
        DeviceSizes sizes = memory.sizes();
        assertTrue(sizes.recurrentUnits() >= before, bytes + " bytes");
        assertTrue(sizes.outerUnits() >= context, bytes + " bytes");
        before = sizes.recurrentUnits();
      }
      assertEquals(
          4 * context * CacheFormat.F32_UNITS * fixture.model().defaultRecurrence(), before);
    }
  }

  @Test
  void aSequenceThatDoesNotFitIsRefusedAndTakesNothing() {
    try (Fixture fixture = new Fixture(NAME);
        Backend backend = TestDevices.open(fixture.model(), fixture.checkpoint())) {
      int context = fixture.model().contextLength();
      KeyValueLayout greedy =
          new KeyValueLayout(fixture.model(), SlotPolicy.full(), 1_000, context);
      String message =
          assertThrows(DeviceMemoryException.class, () -> backend.allocate(greedy)).getMessage();
      assertTrue(message.contains("left for keys and values"), message);
      KeyValueLayout modest = new KeyValueLayout(fixture.model(), SlotPolicy.full(), 8, context);
      List<KeyValueStore> stores = new ArrayList<>();
      for (int i = 0; i < 4; i++) {
        stores.add(backend.allocate(modest));
      }
      assertThrows(DeviceMemoryException.class, () -> backend.allocate(modest));
      stores.getFirst().close();
      backend.allocate(modest).close();
    }
  }

  @Test
  void regionsNeverOverlapAndAllComeBack() {
    SplittableRandom random = new SplittableRandom(5);
    RegionAllocator allocator = new RegionAllocator(1_000);
    boolean[] taken = new boolean[1_000];
    List<int[]> regions = new ArrayList<>();
    for (int step = 0; step < 5_000; step++) {
      if (random.nextBoolean()) {
        int size = 1 + random.nextInt(120);
        int first = allocator.take(size);
        if (first < 0) {
          assertTrue(allocator.largest() < size);
          continue;
        }
        for (int i = first; i < first + size; i++) {
          assertTrue(!taken[i], "row " + i + " is taken twice");
          taken[i] = true;
        }
        regions.add(new int[] {first, size});
      } else if (!regions.isEmpty()) {
        int[] region = regions.remove(random.nextInt(regions.size()));
        allocator.give(region[0], region[1]);
        for (int i = region[0]; i < region[0] + region[1]; i++) {
          taken[i] = false;
        }
      }
    }
    regions.forEach(region -> allocator.give(region[0], region[1]));
    assertEquals(1_000, allocator.largest());
  }
}
