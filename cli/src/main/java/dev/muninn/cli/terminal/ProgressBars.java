package dev.muninn.cli.terminal;

import java.io.PrintWriter;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarConsumer;
import me.tongfei.progressbar.ProgressBarStyle;

/** Progress bars in one line of a terminal. */
public final class ProgressBars {
  private ProgressBars() {}

  /**
   * A bar that is still to be described.
   *
   * @param out a terminal, which is not asked what it can: its answers would land among what a user
   *     types
   */
  public static ProgressBarBuilder on(PrintWriter out) {
    return new ProgressBarBuilder().setStyle(ProgressBarStyle.ASCII).setConsumer(new Line(out));
  }

  /** Writes each state over the last. */
  private record Line(PrintWriter out) implements ProgressBarConsumer {
    /** One less than most terminals have, where a full line would move to the next. */
    private static final int WIDTH = 79;

    @Override
    public int getMaxRenderedLength() {
      return WIDTH;
    }

    @Override
    public void accept(String rendered) {
      String line = rendered.length() > WIDTH ? rendered.substring(0, WIDTH) : rendered;
      out.print("\r" + line + " ".repeat(WIDTH - line.length()));
      out.flush();
    }

    @Override
    public void close() {
      out.println();
    }
  }
}
