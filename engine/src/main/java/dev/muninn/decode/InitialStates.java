package dev.muninn.decode;

import dev.muninn.backend.LatentRows;
import dev.muninn.model.StartState;
import java.util.Arrays;

/** Draws the latent states s_0 that {@link InitialState} describes. Allocates nothing. */
public final class InitialStates {
  private static final double BOUND = 3;

  private final InitialState description;
  private final double factor;
  private final boolean embedded;
  private final SplitMix random = new SplitMix();

  public InitialStates(InitialState description, StartState start) {
    this.description = description;
    this.embedded = !(start instanceof StartState.Random);
    this.factor =
        start instanceof StartState.Random(double deviation) ? description.scale() * deviation : 0;
  }

  /** Whether every state is zero. */
  public boolean zero() {
    return factor == 0;
  }

  /**
   * Sets the state that a row begins from.
   *
   * @param rows hold the row, whose token is embedded
   * @param latent gets the state, [h]
   */
  public void begin(LatentRows rows, int slot, int position, float[] latent) {
    if (embedded) {
      rows.readEmbedding(slot, latent);
    } else {
      fill(position, latent);
    }
    rows.writeLatent(slot, latent);
  }

  /** Fills in the state of a position, [h]. */
  public void fill(int position, float[] latent) {
    fill(position, 0, latent);
  }

  /** Fills in one of several states of a position, [h]; number 0 is its initial state. */
  public void fill(int position, int number, float[] latent) {
    if (zero()) {
      Arrays.fill(latent, 0);
      return;
    }
    random.seed(description.seed(), (long) number << 32 | position);
    for (int i = 0; i < latent.length; i++) {
      latent[i] = (float) (factor * random.truncatedNormal(BOUND));
    }
  }
}
