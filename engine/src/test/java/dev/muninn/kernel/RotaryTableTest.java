package dev.muninn.kernel;

import static dev.muninn.kernel.KernelInputs.assertClose;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.muninn.model.Rotary;
import java.util.function.IntPredicate;
import java.util.function.IntUnaryOperator;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RotaryTableTest {

  @ParameterizedTest
  @ValueSource(ints = {2, 24, 28, 32, 96})
  void anglesOfAllPositionsWithNeighboursAsPairs(int headSize) {
    checkAngles(Rotary.Layout.PAIRS, headSize, column -> column / 2, column -> column % 2 == 0);
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 24, 28, 32, 96})
  void anglesOfAllPositionsWithHalvesAsPairs(int headSize) {
    int half = headSize / 2;
    checkAngles(Rotary.Layout.HALVES, headSize, column -> column % half, column -> column < half);
  }

  private static void checkAngles(
      Rotary.Layout layout, int headSize, IntUnaryOperator pairOf, IntPredicate isFirst) {
    int positions = 300;
    double base = 50_000;
    RotaryTable table = new RotaryTable(Rotary.of(layout, headSize, base));
    table.extend(positions);
    assertEquals(positions * headSize, table.cosines().length);
    assertEquals(positions * headSize, table.sines().length);
    for (int position = 0; position < positions; position++) {
      for (int column = 0; column < headSize; column++) {
        int pair = pairOf.applyAsInt(column);
        double angle = position * Math.pow(base, -2.0 * pair / headSize);
        int at = table.offset(position) + column;
        String what = "column " + column + " of position " + position;
        // The model was trained with angles in f32: half a unit in the last place of 300, thrice.
        assertClose(Math.cos(angle), table.cosines()[at], 1e-4, "cosine of " + what);
        double sine = isFirst.test(column) ? -Math.sin(angle) : Math.sin(angle);
        assertClose(sine, table.sines()[at], 1e-4, "sine of " + what);
      }
    }
  }
}
