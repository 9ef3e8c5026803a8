package dev.muninn.vector;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.backend.DeviceLimits;
import dev.muninn.kernel.Lanes;
import dev.muninn.kernel.ThreadTeam;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class MachineLimitsTest {

  @Test
  void everyThreadMultipliesAndAdds() {
    try (ThreadTeam team = new ThreadTeam(3)) {
      float[] results = new ArithmeticProbe(team).run(100);
      float[] expected = new float[3 * Lanes.COUNT];
      // Each of the 12 sums goes to 1 by s = s / 2 + 1 / 2.
      Arrays.fill(expected, 12);
      assertArrayEquals(expected, results);
    }
  }

  @Test
  void everyThreadReadsAllOfItsPart() {
    try (ThreadTeam team = new ThreadTeam(2);
        ReadProbe probe = new ReadProbe(team, 2 * ReadProbe.GRAIN)) {
      int ints = (int) (ReadProbe.GRAIN / Integer.BYTES);
      int sum = 3 * ints * 0x01010101;
      assertArrayEquals(new int[] {sum, sum}, probe.run(3));
    }
  }

  @Test
  void limitsAreRates() {
    DeviceLimits limits = MachineLimits.measure(1);
    assertTrue(limits.bytesPerSecond() > 1e6, limits.toString());
    assertTrue(Double.isFinite(limits.operationsPerSecond()), limits.toString());
    assertTrue(limits.operationsPerSecond() > 1e6, limits.toString());
  }
}
