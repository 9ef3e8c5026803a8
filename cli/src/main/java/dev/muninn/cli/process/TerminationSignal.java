package dev.muninn.cli.process;

import org.jline.utils.Signals;

/**
 * Makes SIGTERM a wish to end, so that the command ends by itself and with its own exit code. Where
 * signals cannot be had, the JVM ends as usual. Closing it gives the signal back.
 */
public final class TerminationSignal implements AutoCloseable {
  private static final String NAME = "TERM";

  private final Object before;

  /**
   * Listens from now on.
   *
   * @param action runs on a thread of its own
   */
  public TerminationSignal(Runnable action) {
    before = Signals.register(NAME, action);
  }

  @Override
  public void close() {
    if (before != null) {
      Signals.unregister(NAME, before);
    }
  }
}
