package dev.muninn.vector;

import static dev.muninn.vector.KernelInputs.assertClose;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.muninn.model.RavenConfig;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RotaryTableTest {

  @ParameterizedTest
  @ValueSource(ints = {2, 24, 28, 32, 96})
  void anglesOfAllPositions(int headSize) {
    int positions = 300;
    double base = 50_000;
    RavenConfig config =
        new RavenConfig(2 * headSize, 2, 8, 1, 1, 1, 1, 8, positions, base, 1e-6, true, true);
    RotaryTable table = new RotaryTable(config);
    table.extend(config.contextLength());
    assertEquals(positions * headSize, table.cosines.length);
    assertEquals(positions * headSize, table.sines.length);
    for (int position = 0; position < positions; position++) {
      for (int column = 0; column < headSize; column++) {
        int pair = column / 2;
        double angle = position * Math.pow(base, -2.0 * pair / headSize);
        int at = table.offset(position) + column;
        String what = "column " + column + " of position " + position;
        // The model was trained with angles in f32: half a unit in the last place of 300, thrice.
        assertClose(Math.cos(angle), table.cosines[at], 1e-4, "cosine of " + what);
        double sine = column % 2 == 0 ? -Math.sin(angle) : Math.sin(angle);
        assertClose(sine, table.sines[at], 1e-4, "sine of " + what);
      }
    }
  }
}
