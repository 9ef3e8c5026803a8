package dev.muninn.vector;

import dev.muninn.kernel.Lanes;
import dev.muninn.kernel.ThreadTeam;
import jdk.incubator.vector.FloatVector;

/** Multiplies and adds with nothing to load or store, on all threads of a team. */
final class ArithmeticProbe {
  private static final int ACCUMULATORS = 12;

  private final ThreadTeam team;
  private final float[] results;

  // No constants, or a compiler might compute the result. The sums go to 1.
  private float factor = 0.5f;
  private float addend = 0.5f;

  ArithmeticProbe(ThreadTeam team) {
    this.team = team;
    this.results = new float[team.size() * Lanes.COUNT];
  }

  /** Multiplications and additions of a run. */
  static double operationsPerThread(int steps) {
    return 2.0 * steps * ACCUMULATORS * Lanes.COUNT;
  }

  float[] run(int steps) {
    team.run(thread -> chains(steps, factor, addend, results, thread * Lanes.COUNT));
    return results;
  }

  /**
   * As many chains as hide the latency of two multipliers, and as few as fit into 16 registers with
   * the two operands.
   */
  private static void chains(int steps, float factor, float addend, float[] out, int at) {
    FloatVector a = FloatVector.broadcast(Lanes.FLOATS, factor);
    FloatVector b = FloatVector.broadcast(Lanes.FLOATS, addend);
    FloatVector sum0 = FloatVector.zero(Lanes.FLOATS);
    FloatVector sum1 = sum0;
    FloatVector sum2 = sum0;
    FloatVector sum3 = sum0;
    FloatVector sum4 = sum0;
    FloatVector sum5 = sum0;
    FloatVector sum6 = sum0;
    FloatVector sum7 = sum0;
    FloatVector sum8 = sum0;
    FloatVector sum9 = sum0;
    FloatVector sum10 = sum0;
    FloatVector sum11 = sum0;
    for (int step = 0; step < steps; step++) {
      sum0 = a.fma(sum0, b);
      sum1 = a.fma(sum1, b);
      sum2 = a.fma(sum2, b);
      sum3 = a.fma(sum3, b);
      sum4 = a.fma(sum4, b);
      sum5 = a.fma(sum5, b);
      sum6 = a.fma(sum6, b);
      sum7 = a.fma(sum7, b);
      sum8 = a.fma(sum8, b);
      sum9 = a.fma(sum9, b);
      sum10 = a.fma(sum10, b);
      sum11 = a.fma(sum11, b);
    }
    sum0.add(sum1)
        .add(sum2)
        .add(sum3)
        .add(sum4)
        .add(sum5)
        .add(sum6)
        .add(sum7)
        .add(sum8)
        .add(sum9)
        .add(sum10)
        .add(sum11)
        .intoArray(out, at);
  }
}
