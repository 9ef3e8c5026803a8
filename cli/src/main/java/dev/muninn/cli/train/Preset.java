package dev.muninn.cli.train;

import dev.muninn.family.huginn.HuginnConfig;
import dev.muninn.train.Schedule;

/** A model and a recipe that are known to work together. */
final class Preset {
  static final String RAVEN_TINY = "raven-tiny";

  static final int BACKPROPAGATION_DEPTH = 4;
  static final int DIGITS = 20;
  static final int OPERANDS = 3;
  static final int LENGTH = 72;
  static final int BATCH = 48;
  static final int ACCUMULATE = 1;
  static final int STEPS = 6_000;
  static final float LEARNING_RATE = 2e-3f;
  static final int WARM_UP = 200;
  static final Schedule.Decay DECAY = Schedule.Decay.INVERSE_SQUARE_ROOT;
  static final float WEIGHT_DECAY = 0.05f;
  static final float CLIP = 1;
  static final float VALIDATION_SHARE = 0.05f;
  static final int EVALUATE_EVERY = 50;
  static final int SAVE_EVERY = 50;

  private Preset() {}

  /** The shape of raven-tiny: a vocabulary of bytes and specials. */
  static HuginnConfig ravenTiny() {
    return new HuginnConfig(128, 4, 352, 1, 2, 1, 8, 272, 256, 50_000, 1e-6, true, true);
  }
}
