package dev.muninn.tornado;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.Fixture;
import dev.muninn.backend.LatentRows;
import dev.muninn.backend.RowBatch;
import dev.muninn.cache.KeyValueLayout;
import dev.muninn.cache.SequenceCache;
import dev.muninn.cache.SlotPolicy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A decode step leaves nothing behind, whatever its number of recurrences. */
class LevelMemoryTest {
  private static final String NAME = "raven-1-4-1-bf16";
  private static final int MOST_RECURRENCES = 5;
  private static final int PAGE = 4096;

  /**
   * What Java's compilers, its collector and the driver's pools of events may move. A leak of 16 kB
   * a step is more over the longer of the tests.
   */
  private static final long SLACK = 24L << 20;

  /**
   * Memory in use, in bytes.
   *
   * @param device of the device, as the runtime counts it
   * @param heap of Java's objects
   * @param outside resident without the heap, or 0 where the system does not tell
   */
  private record Used(long device, long heap, long outside) {
    static Used now(DeviceBackend backend) throws IOException {
      System.gc();
      Runtime runtime = Runtime.getRuntime();
      Path status = Path.of("/proc/self/statm");
      long resident =
          Files.exists(status)
              ? PAGE * Long.parseLong(Files.readString(status).split(" ")[1])
              : runtime.totalMemory();
      return new Used(
          backend.deviceBytes(),
          runtime.totalMemory() - runtime.freeMemory(),
          resident - runtime.totalMemory());
    }
  }

  @Test
  void sixtySteps() throws IOException {
    decode(60);
  }

  /** Takes minutes where a CPU stands for the GPU: {@code mvn verify -Dtests.excluded=}. */
  @Test
  @Tag("long")
  void threeThousandSteps() throws IOException {
    decode(3_000);
  }

  private static void decode(int steps) throws IOException {
    try (Fixture fixture = new Fixture(NAME);
        DeviceBackend backend = TestDevices.open(fixture.model(), fixture.checkpoint())) {
      int context = fixture.model().contextLength();
      KeyValueLayout layout =
          new KeyValueLayout(fixture.model(), SlotPolicy.full(), MOST_RECURRENCES, context);
      float[] latent = new float[fixture.model().width()];
      float[] logits = new float[fixture.model().vocabularySize()];
      RowBatch batch = new RowBatch(1);
      Used half = null;
      try (SequenceCache cache = new SequenceCache(layout, backend.allocate(layout));
          LatentRows rows = backend.rows(1)) {
        for (int step = 0; step < steps; step++) {
          if (step == steps / 2) {
            half = Used.now(backend);
          }
          int position = step % context;
          cache.truncate(position);
          batch.clear();
          batch.add(0, cache, position, step % 7);
          batch.setLogits(0, true);
          rows.prelude(batch);
          rows.writeLatent(0, latent);
          int recurrences = 1 + step * 3 % MOST_RECURRENCES;
          for (int i = 0; i < recurrences; i++) {
            batch.setRecurrence(0, i);
            rows.recur(batch);
          }
          rows.coda(batch);
          rows.readLogits(0, logits);
        }
      }
      Used end = Used.now(backend);
      System.out.printf("%d steps: at half %s, at the end %s%n", steps, half, end);
      assertEquals(half.device(), end.device(), "bytes on the device");
      assertTrue(end.heap() - half.heap() < SLACK, half + " became " + end);
      assertTrue(end.outside() - half.outside() < SLACK, half + " became " + end);
    }
  }
}
