package dev.muninn.cli.process;

import dev.muninn.decode.Cancellation;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Makes Ctrl-C, or any other end of the JVM, a wish to stop early, and holds that end up until the
 * command has printed what it has.
 */
public final class ShutdownCancellation implements AutoCloseable {
  /** One application of the recurrent block to a long prompt on a large model takes seconds. */
  private static final int PATIENCE_SECONDS = 5;

  private final Cancellation cancellation = new Cancellation();
  private final int patienceSeconds;
  private final CountDownLatch printed = new CountDownLatch(1);
  private final Thread hook = new Thread(this::cancelAndWait, "muninn-shutdown");

  /** Listens from now on. */
  public ShutdownCancellation() {
    this(PATIENCE_SECONDS);
  }

  /**
   * Listens from now on.
   *
   * @param patienceSeconds how long the JVM waits for the command
   */
  public ShutdownCancellation(int patienceSeconds) {
    this.patienceSeconds = patienceSeconds;
    try {
      Runtime.getRuntime().addShutdownHook(hook);
    } catch (IllegalStateException e) {
      // The JVM is ending already.
      cancellation.cancel();
    }
  }

  /** The cancellation to trigger when the JVM ends. */
  public Cancellation cancellation() {
    return cancellation;
  }

  private void cancelAndWait() {
    cancellation.cancel();
    try {
      printed.await(patienceSeconds, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Says that everything is printed. */
  @Override
  public void close() {
    printed.countDown();
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      // The JVM is ending: the hook has heard.
    }
  }
}
