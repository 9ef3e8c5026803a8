package dev.muninn.cli.models;

import java.io.IOException;
import java.time.Duration;

/** Decides after each failure of one download whether and when it is tried again. */
final class Retries {
  /** Bounds the tries against a server that gives a few bytes each time. */
  private static final int MOST_FAILURES = 1000;

  /** A damaged file may be a damaged start of it; damaged twice, it is the server's. */
  private static final int MOST_WRONG = 2;

  private final Patience patience;
  private final PullProgress progress;
  private int failures;
  private int failuresInRow;
  private int wrong;

  Retries(Patience patience, PullProgress progress) {
    this.patience = patience;
    this.progress = progress;
  }

  /**
   * Waits for the next try, or gives up.
   *
   * @param gained whether the try that failed brought any bytes
   * @throws IOException the failure, if it is to be the last
   */
  void pauseOrGiveUp(TransientFailure failure, boolean gained) throws IOException {
    failures++;
    failuresInRow = gained ? 1 : failuresInRow + 1;
    if (failuresInRow >= patience.attempts() || failures >= MOST_FAILURES) {
      throw new IOException(
          failure.getMessage() + "; gave up after " + failures + " tries", failure);
    }
    Duration pause = failure.retryAfter().orElse(patience.pause(failuresInRow));
    if (pause.compareTo(patience.longestAsked()) > 0) {
      throw new IOException(
          failure.getMessage() + " and asks to wait for " + pause.toSeconds() + " s", failure);
    }
    progress.pause(failure.getMessage(), pause);
    try {
      Thread.sleep(pause);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted while waiting to try again", e);
    }
  }

  /** Permits another try from the first byte on, or gives up. */
  void againOrGiveUp(WrongContent failure) throws IOException {
    if (++wrong >= MOST_WRONG) {
      throw failure;
    }
    pauseOrGiveUp(new TransientFailure(failure.getMessage(), null, failure), false);
  }
}
