package dev.muninn.tornado;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.muninn.Fixture;
import dev.muninn.backend.LatentComparison;
import dev.muninn.backend.LatentRows;
import dev.muninn.model.ExitGate;
import dev.muninn.model.RecurrentModel;
import java.util.Optional;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** States are compared on the device, in more rows than go through at once. */
class StateComparerTest {
  private static final int SLOTS = DeviceModel.MOST_ROWS + 3;

  private final SplittableRandom random = new SplittableRandom(5);

  private float[] vector(int size) {
    float[] vector = new float[size];
    for (int i = 0; i < size; i++) {
      vector[i] = (float) random.nextDouble(-1, 1);
    }
    return vector;
  }

  private static RecurrentModel gated(RecurrentModel model, Optional<ExitGate> gate) {
    return new RecurrentModel(
        model.family(),
        model.contextLength(),
        model.depth(),
        model.embedding(),
        model.prelude(),
        model.core(),
        model.coda(),
        gate);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void sumsTellAStateFromTheOneBefore(boolean hasGate) {
    try (Fixture fixture = new Fixture("raven-1-4-1-bf16")) {
      int width = fixture.model().width();
      float[] weight = vector(width);
      RecurrentModel model =
          gated(
              fixture.model(),
              hasGate ? Optional.of(new ExitGate(weight, 0, 0.5)) : Optional.empty());
      try (DeviceBackend backend = TestDevices.open(model, fixture.checkpoint());
          LatentRows before = backend.rows(2);
          LatentRows rows = backend.rows(SLOTS)) {
        before.writeLatent(0, vector(width));
        LatentComparison comparison = rows.comparison().orElseThrow();
        float[][] states = new float[SLOTS][];
        int[] slots = new int[SLOTS];
        for (int slot = 0; slot < SLOTS; slot++) {
          slots[slot] = SLOTS - 1 - slot;
          states[slot] = vector(width);
          rows.writeLatent(slot, states[slot]);
        }
        comparison.keep(slots, SLOTS);
        float[] sums = new float[SLOTS * LatentComparison.SUMS];
        for (int round = 0; round < 2; round++) {
          float[][] kept = states.clone();
          for (int slot = 0; slot < SLOTS; slot += 2) {
            states[slot] = vector(width);
            rows.writeLatent(slot, states[slot]);
          }
          comparison.compare(slots, SLOTS, sums);
          for (int i = 0; i < SLOTS; i++) {
            check(states[slots[i]], kept[slots[i]], hasGate ? weight : null, sums, i);
          }
        }
        float[] kept = new float[width];
        comparison.readKept(2, kept);
        assertArrayEquals(states[2], kept);
      }
    }
  }

  private static void check(float[] state, float[] kept, float[] gate, float[] sums, int row) {
    double[] expected = new double[LatentComparison.SUMS];
    for (int i = 0; i < state.length; i++) {
      double change = (double) state[i] - kept[i];
      expected[LatentComparison.CHANGE] += change * change;
      expected[LatentComparison.GROWTH] += change * ((double) state[i] + kept[i]);
      expected[LatentComparison.SQUARE] += (double) state[i] * state[i];
      expected[LatentComparison.GATE] += gate == null ? 0 : (double) state[i] * gate[i];
    }
    for (int sum = 0; sum < LatentComparison.SUMS; sum++) {
      assertEquals(
          expected[sum],
          sums[row * LatentComparison.SUMS + sum],
          1e-4,
          "sum " + sum + " of " + row);
    }
  }
}
