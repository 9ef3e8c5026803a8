package dev.muninn.decode;

import dev.muninn.model.RavenConfig;
import java.util.Arrays;

/** Draws the latent states s_0 that {@link InitialState} describes. Allocates nothing. */
public final class InitialStates {
  private static final double BOUND = 3;
  private static final long GOLDEN = 0x9E3779B97F4A7C15L;

  private final InitialState description;
  private final double factor;
  private long state;

  public InitialStates(InitialState description, RavenConfig config) {
    this.description = description;
    this.factor =
        description.scale() * config.standardDeviation() * Math.sqrt(config.embeddingSize());
  }

  /** Whether every state is zero. */
  public boolean zero() {
    return factor == 0;
  }

  /** Fills in the state of a position, [h]. */
  public void fill(int position, float[] latent) {
    if (zero()) {
      Arrays.fill(latent, 0);
      return;
    }
    state = mix(description.seed() * GOLDEN + mix(position + 1));
    for (int i = 0; i < latent.length; i++) {
      latent[i] = (float) (factor * truncatedNormal());
    }
  }

  /** By Box and Muller, drawn again beyond the bound. */
  private double truncatedNormal() {
    while (true) {
      double radius = Math.sqrt(-2 * Math.log(1 - uniform()));
      double value = radius * Math.cos(2 * Math.PI * uniform());
      if (Math.abs(value) <= BOUND) {
        return value;
      }
    }
  }

  /** From 0 (inclusive) to 1 (exclusive). */
  private double uniform() {
    state += GOLDEN;
    return (mix(state) >>> 11) * 0x1p-53;
  }

  /** The finalizer of SplitMix64. */
  private static long mix(long z) {
    z = (z ^ z >>> 30) * 0xBF58476D1CE4E5B9L;
    z = (z ^ z >>> 27) * 0x94D049BB133111EBL;
    return z ^ z >>> 31;
  }
}
