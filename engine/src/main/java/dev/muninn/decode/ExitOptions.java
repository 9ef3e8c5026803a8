package dev.muninn.decode;

import java.util.Optional;

/**
 * When rows stop before their last recurrence.
 *
 * @param criterion makes the criterion of each group of rows; empty to use all recurrences. Options
 *     are equal if their criteria are: those of {@link ExitCriteria#parse} by what they say, others
 *     by their own {@code equals}
 * @param minimumRecurrence recurrences before the first check, at least 1
 * @param every recurrences from one check to the next, at least 1
 * @param prefill how the rows of a prompt leave
 */
public record ExitOptions(
    Optional<ExitCriteria.Factory> criterion, int minimumRecurrence, int every, Prefill prefill) {

  /** How the rows of a prompt leave. */
  public enum Prefill {
    /**
     * All at once: latent criteria and the gate average over the rows, logit criteria read the last
     * one's.
     */
    GROUP,
    /** Each by itself; a row that has left is no longer computed. */
    ROW,
    /** Not before the last recurrence. */
    NONE
  }

  public ExitOptions {
    requirePositive("minimum recurrence", minimumRecurrence);
    requirePositive("exit interval", every);
  }

  /** No early exits. */
  public static ExitOptions none() {
    return new ExitOptions(Optional.empty(), 1, 1, Prefill.GROUP);
  }

  /** Checks after every recurrence. */
  public static ExitOptions of(ExitCriteria.Factory criterion) {
    return new ExitOptions(Optional.of(criterion), 1, 1, Prefill.GROUP);
  }

  /**
   * Whether a position's recurrences depend on its own latent states alone, so that its keys and
   * values are the same whatever is computed beside it. False where that is not known.
   */
  public boolean judgesPositionsAlone() {
    return criterion.isEmpty()
        || prefill == Prefill.ROW
            && criterion.get() instanceof ExitCriteria.Named named
            && named.kind().readsLatentsAlone();
  }

  private static void requirePositive(String what, int value) {
    if (value < 1) {
      throw new IllegalArgumentException(what + " must be at least 1, not " + value);
    }
  }

  /** Whether rows are checked after a number of recurrences. */
  boolean checks(int recurrences) {
    return criterion.isPresent()
        && recurrences >= minimumRecurrence
        && (recurrences - minimumRecurrence) % every == 0;
  }
}
