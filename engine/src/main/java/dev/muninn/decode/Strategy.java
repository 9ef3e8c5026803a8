package dev.muninn.decode;

/** In which order positions and recurrences are computed. */
public sealed interface Strategy {

  /** One position after the other. */
  static Strategy sequential() {
    return Sequential.INSTANCE;
  }

  /** One position after the other. */
  enum Sequential implements Strategy {
    INSTANCE
  }

  /**
   * Self-speculation: a few tokens are drafted at few recurrences and verified together at all
   * (arXiv 2502.05171, section 6.4). Chooses as sequential decoding does: the same tokens when
   * greedy, the same distribution when sampling.
   *
   * @param draftRecurrence recurrences of a draft, at least 1
   * @param lookahead tokens drafted before they are verified, at least 1
   */
  record Speculative(int draftRecurrence, int lookahead) implements Strategy {
    public Speculative {
      requirePositive("draft recurrence", draftRecurrence);
      requirePositive("lookahead", lookahead);
    }
  }

  /**
   * Parallel sampling (arXiv 2510.14961): a wavefront of positions that are refined together. Each
   * outer step applies the recurrent block to every position that is not frozen, reads out the next
   * tokens, adds positions and freezes those that have settled.
   *
   * @param innerRecurrence applications of the recurrent block in an outer step, at least 1
   * @param headway positions added in an outer step where the wavefront has room, at least 1
   * @param freeze when positions settle
   * @param exitThreshold relative change of a latent state below which it has settled, positive
   * @param maxWavefront most positions at once, at least 2
   * @param embeddingEma share of the former embedding in the new one, from 0 to below 1
   * @param stateNoise share of noise mixed into a state, divided by 1 + its recurrences, from 0 to
   *     1
   */
  record Parallel(
      int innerRecurrence,
      int headway,
      Freeze freeze,
      double exitThreshold,
      int maxWavefront,
      float embeddingEma,
      float stateNoise)
      implements Strategy {

    /** When positions settle. */
    public enum Freeze {
      /**
       * All up to the last whose latent state changed little. Some states orbit and never do: where
       * the wavefront has no more room, the first alone leaves once it has had four times as many
       * recurrences as in sequential decoding.
       */
      LATENT_DIFF,
      /** After as many recurrences as sequential decoding makes. */
      FIXED
    }

    public Parallel {
      requirePositive("inner recurrence", innerRecurrence);
      requirePositive("headway", headway);
      if (!(exitThreshold > 0) || Double.isInfinite(exitThreshold)) {
        throw new IllegalArgumentException(
            "exit threshold must be a positive number, not " + exitThreshold);
      }
      if (maxWavefront < 2) {
        throw new IllegalArgumentException("wavefront must be at least 2, not " + maxWavefront);
      }
      if (!(embeddingEma >= 0 && embeddingEma < 1)) {
        throw new IllegalArgumentException(
            "embedding average must be from 0 to below 1, not " + embeddingEma);
      }
      if (!(stateNoise >= 0 && stateNoise <= 1)) {
        throw new IllegalArgumentException("state noise must be from 0 to 1, not " + stateNoise);
      }
    }

    /** Four recurrences a step, one position of headway, no noise. */
    public static Parallel defaults() {
      return new Parallel(4, 1, Freeze.LATENT_DIFF, 0.03, 128, 0, 0);
    }
  }

  private static void requirePositive(String what, int value) {
    if (value < 1) {
      throw new IllegalArgumentException(what + " must be at least 1, not " + value);
    }
  }
}
