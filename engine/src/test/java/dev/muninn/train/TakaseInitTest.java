package dev.muninn.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.family.huginn.HuginnConfig;
import org.junit.jupiter.api.Test;

class TakaseInitTest {
  /** Of a normal distribution that is cut at three standard deviations. */
  private static final double CUT = 0.98658;

  @Test
  void deviationsAreThoseOfTheDesign() {
    HuginnConfig config =
        new HuginnConfig(64, 2, 96, 2, 3, 1, 8, 300, 32, 50_000, 1e-6, true, false);
    Parameters parameters = new Parameters(config, true, 1);
    TakaseInit.initialize(config, parameters, 1);
    double wide = Math.sqrt(2 / (5.0 * 64));
    double narrow = wide / Math.sqrt(2 * (2 + 3 * 8 + 1));
    for (Parameter parameter : parameters.all()) {
      int size = parameter.values.length;
      if (parameter.name.contains("norm") || parameter.name.contains("ln_f")) {
        assertConstant(parameter, 1);
      } else if (parameter.name.contains("qk_bias")) {
        assertConstant(parameter, 0);
      } else if (parameter.name.endsWith("proj.weight")) {
        assertDeviation(parameter, 0, size, narrow);
      } else if (parameter.name.endsWith("fc.weight")) {
        assertDeviation(parameter, 0, size / 2, wide);
        assertDeviation(parameter, size / 2, size, narrow);
      } else {
        assertDeviation(parameter, 0, size, wide);
      }
    }
  }

  private static void assertConstant(Parameter parameter, float value) {
    for (float found : parameter.values) {
      assertEquals(value, found, parameter.name);
    }
  }

  private static void assertDeviation(Parameter parameter, int from, int to, double deviation) {
    double squares = 0;
    for (int i = from; i < to; i++) {
      assertTrue(Math.abs(parameter.values[i]) <= 3.0001 * deviation, parameter.name);
      squares += (double) parameter.values[i] * parameter.values[i];
    }
    double found = Math.sqrt(squares / (to - from));
    double error = 5 / Math.sqrt(2.0 * (to - from));
    assertEquals(1, found / (CUT * deviation), error, parameter.name);
  }
}
