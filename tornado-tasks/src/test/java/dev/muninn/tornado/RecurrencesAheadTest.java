package dev.muninn.tornado;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.Fixture;
import dev.muninn.backend.ComputeDevice;
import dev.muninn.backend.LatentRows;
import dev.muninn.backend.RowBatch;
import dev.muninn.cache.KeyValueLayout;
import dev.muninn.cache.SequenceCache;
import dev.muninn.cache.SlotPolicy;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import uk.ac.manchester.tornado.api.common.TornadoDevice;

/** How often the host launches and waits: it does neither for a recurrence's sake but to launch. */
class RecurrencesAheadTest {
  private static final int MOST_RECURRENCES = 12;

  /** Counts how often somebody waits for a device. */
  private static TornadoDevice counting(TornadoDevice device, AtomicLong waits) {
    return (TornadoDevice)
        Proxy.newProxyInstance(
            TornadoDevice.class.getClassLoader(),
            new Class<?>[] {TornadoDevice.class},
            (proxy, method, arguments) -> {
              if (method.getName().equals("sync")) {
                waits.incrementAndGet();
              }
              try {
                return method.invoke(device, arguments);
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            });
  }

  /** What a token took. */
  private record Cost(long executions, long waits) {}

  /** Decodes tokens with some recurrences each; what the last took. */
  private static Cost decode(SlotPolicy policy, int... recurrences) {
    ComputeDevice first = TestDevices.all().getFirst();
    AtomicLong waits = new AtomicLong();
    TornadoDevice device = TestDevices.find(first);
    if (TestDevices.isStandIn(device)) {
      device = counting(device, waits);
    }
    try (Fixture fixture = new Fixture("raven-1-4-1-bf16");
        DeviceBackend backend =
            new DeviceBackend(
                first, device, fixture.model(), fixture.checkpoint(), new Schedule(1))) {
      KeyValueLayout layout =
          new KeyValueLayout(fixture.model(), policy, MOST_RECURRENCES, recurrences.length);
      float[] latent = new float[fixture.model().width()];
      float[] logits = new float[fixture.model().vocabularySize()];
      RowBatch batch = new RowBatch(1);
      Cost cost = null;
      try (SequenceCache cache = new SequenceCache(layout, backend.allocate(layout));
          LatentRows rows = backend.rows(1)) {
        for (int position = 0; position < recurrences.length; position++) {
          final long executions = backend.executions();
          final long waited = waits.get();
          batch.clear();
          batch.add(0, cache, position, 3 + position);
          batch.setLogits(0, true);
          rows.prelude(batch);
          rows.writeLatent(0, latent);
          for (int i = 0; i < recurrences[position]; i++) {
            batch.setRecurrence(0, i);
            rows.recur(batch);
          }
          rows.coda(batch);
          rows.readLogits(0, logits);
          cost = new Cost(backend.executions() - executions, waits.get() - waited);
        }
      }
      return cost;
    }
  }

  @Test
  void aTokenTakesThreeLaunchesBesideItsRecurrencesAndOneWait() {
    Cost few = decode(SlotPolicy.full(), 4, 4, 4);
    Cost many = decode(SlotPolicy.full(), 12, 12, 12);
    assertEquals(4 + 3, few.executions());
    assertEquals(12 + 3, many.executions());
    assertEquals(few.waits(), many.waits());
    assertTrue(many.waits() <= 1, many::toString);
  }

  /** Rows are sent once more where slots are taken in turn again, or positions went less deep. */
  @ParameterizedTest
  @CsvSource({"budget:4, 12, 2", "anchor:3, 12, 1", "full, 5, 1"})
  void rowsAreSentOnceMoreWhereTheNextRecurrenceIsNoStep(String policy, int before, int mostSent) {
    Cost cost = decode(SlotPolicy.parse(policy), before, 12);
    assertTrue(cost.executions() >= 12 + 3, cost::toString);
    assertTrue(cost.executions() <= 12 + 3 + mostSent, cost::toString);
  }
}
