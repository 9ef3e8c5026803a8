package dev.muninn.cli.terminal;

import java.io.PrintWriter;
import me.tongfei.progressbar.ProgressBar;

/** A progress bar on standard error, where a person sees it. */
public final class Progress implements AutoCloseable {
  private final ProgressBar bar;

  /**
   * A bar, or nothing.
   *
   * @param shown whether to show anything
   * @param what is counted, such as prompts
   * @param size how many there are
   */
  public Progress(boolean shown, String what, long size) {
    bar =
        shown
            ? ProgressBars.on(new PrintWriter(System.err, true, System.err.charset()))
                .setTaskName(what)
                .setInitialMax(size)
                .build()
            : null;
  }

  /** One more is done. */
  public void step() {
    if (bar != null) {
      bar.step();
    }
  }

  /** So many are done. */
  public void stepTo(long done) {
    if (bar != null) {
      bar.stepTo(done);
    }
  }

  @Override
  public void close() {
    if (bar != null) {
      bar.close();
    }
  }
}
