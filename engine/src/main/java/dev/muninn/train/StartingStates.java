package dev.muninn.train;

import dev.muninn.decode.InitialState;
import dev.muninn.decode.InitialStates;
import dev.muninn.family.huginn.HuginnConfig;
import dev.muninn.model.StartState;

/** The source of a batch's initial latent states s_0. Called by several threads. */
interface StartingStates {
  /**
   * Fills in the states of a sequence.
   *
   * @param sequence index in the batch
   * @param states gets [length, h]
   */
  void fill(int sequence, Rows states);

  /** Draws them anew for every sequence, by a seed. */
  static StartingStates drawn(HuginnConfig config, long seed) {
    double deviation = config.standardDeviation() * Math.sqrt(config.embeddingSize());
    StartState start = new StartState.Random(deviation);
    return (sequence, states) -> {
      // A position's seed takes up the low half, so the high half distinguishes sequences.
      InitialStates source =
          new InitialStates(InitialState.random(seed + ((long) sequence << 32)), start);
      float[] row = new float[states.columns()];
      for (int position = 0; position < states.rows(); position++) {
        source.fill(position, row);
        System.arraycopy(
            row, 0, states.data(), states.from() + position * states.stride(), row.length);
      }
    };
  }
}
