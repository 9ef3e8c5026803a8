package dev.muninn.decode;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.model.ExitGate;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** The learned gate against its definition, and how it is asked while rows think. */
class LearnedGateTest {
  private static final int WIDTH = 7;
  private static final int STEPS = 6;

  private static float[][] states(long seed, int rows) {
    SplittableRandom random = new SplittableRandom(seed);
    float[][] states = new float[STEPS + 1][rows * WIDTH];
    for (float[] state : states) {
      for (int i = 0; i < state.length; i++) {
        state[i] = (float) random.nextGaussian();
      }
    }
    return states;
  }

  private static ExitGate gate(float bias) {
    return new ExitGate(new float[] {0.5f, -1, 0.25f, 0, 2, -0.125f, 1}, bias, 0.8);
  }

  private static double lambda(ExitGate gate, float[] states, int row) {
    double sum = gate.bias();
    for (int i = 0; i < WIDTH; i++) {
      sum += gate.weight()[i] * states[row * WIDTH + i];
    }
    return 1 / (1 + Math.exp(-sum));
  }

  @Test
  void valuesAreCumulatedExitProbabilities() {
    ExitGate gate = gate(-0.3f);
    LearnedGate criterion = new LearnedGate(gate, 0.8);
    assertFalse(criterion.readsLogits());
    assertTrue(criterion.measuresEveryRecurrence());
    for (int rows : new int[] {1, 3, 2}) {
      float[][] states = states(rows, rows);
      criterion.begin(states[0], rows, WIDTH);
      for (int t = 1; t <= STEPS; t++) {
        double mean = 0;
        for (int row = 0; row < rows; row++) {
          double cumulated = 0;
          for (int s = 1; s <= t; s++) {
            double p = lambda(gate, states[s], row);
            for (int before = 1; before < s; before++) {
              p *= 1 - lambda(gate, states[before], row);
            }
            cumulated += p;
          }
          mean += cumulated / rows;
        }
        double value = criterion.measure(states[t], rows, WIDTH, new float[0]);
        assertEquals(mean, value, 1e-12);
        assertEquals(mean >= 0.8, criterion.satisfied(value));
      }
    }
    assertFalse(criterion.satisfied(Double.NaN));
    assertTrue(criterion.satisfied(0.8));
  }

  /** The gate sees every recurrence, also those after which nothing may leave. */
  @Test
  void everyRecurrenceCountsWhateverTheChecks() {
    try (DecodingModel model = new DecodingModel(DecodingModel.UNTIED)) {
      List<Integer> measured = new ArrayList<>();
      ExitCriteria.Factory counting =
          config ->
              new ExitCriterion() {
                private int count;

                @Override
                public boolean readsLogits() {
                  return false;
                }

                @Override
                public boolean measuresEveryRecurrence() {
                  return true;
                }

                @Override
                public void begin(float[] latents, int rows, int width) {
                  count = 0;
                }

                @Override
                public double measure(float[] latents, int rows, int width, float[] logits) {
                  measured.add(++count);
                  return count;
                }

                @Override
                public boolean satisfied(double value) {
                  // At least as deep as a check lets it be: 2, 5, 8, ...
                  assertEquals(2, (int) value % 3);
                  return value >= 4;
                }
              };
      for (ExitOptions.Prefill prefill : ExitOptions.Prefill.values()) {
        measured.clear();
        SequenceRun run =
            model.run(
                SequenceRequest.of(1, 2, 3)
                    .recurrence(9)
                    .count(2)
                    .exit(new ExitOptions(Optional.of(counting), 2, 3, prefill)));
        assertEquals(prefill == ExitOptions.Prefill.NONE ? 9 : 5, run.recurrences()[0]);
        assertEquals(5, run.recurrences()[1]);
        int rows = prefill == ExitOptions.Prefill.ROW ? 3 : 1;
        int prompt = prefill == ExitOptions.Prefill.NONE ? 0 : 5 * rows;
        assertEquals(prompt + 5, measured.size());
      }
    }
  }
}
