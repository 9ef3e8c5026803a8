package dev.muninn.cli.models;

import dev.muninn.cli.output.Units;
import dev.muninn.cli.terminal.Printable;
import dev.muninn.cli.terminal.ProgressBars;
import java.io.PrintWriter;
import java.time.Duration;
import me.tongfei.progressbar.ProgressBar;

/** Shows a pull on standard error: a bar a file on a terminal, else a line a file. */
final class ConsoleProgress implements PullProgress {
  private static final long MEGABYTE = 1_000_000;

  private final PrintWriter out;
  private final boolean bars;
  private ProgressBar bar;

  ConsoleProgress(PrintWriter out, boolean bars) {
    this.out = out;
    this.bars = bars;
  }

  @Override
  public void file(String title, RemoteFile file) {
    close();
    if (bars && file.size() >= MEGABYTE) {
      boolean large = file.size() >= 100 * MEGABYTE;
      bar =
          ProgressBars.on(out)
              .setTaskName(title)
              .setInitialMax(file.size())
              .setUnit(large ? " MB" : " kB", large ? MEGABYTE : 1000)
              .showSpeed()
              .build();
    }
  }

  @Override
  public void at(long bytes) {
    if (bar != null) {
      bar.stepTo(bytes);
    }
  }

  @Override
  public void fileEnded(RemoteFile file) {
    if (bar != null) {
      at(file.size());
      close();
    } else {
      note(file.name() + ": " + Units.bytes(file.size()));
    }
  }

  @Override
  public void pause(String why, Duration duration) {
    String when = Units.format("%.1f s", duration.toMillis() / 1000.0);
    if (bar != null) {
      // Below the bar, which is drawn anew behind it.
      out.println();
    }
    note(why + "; again in " + when);
  }

  @Override
  public void note(String line) {
    out.println(Printable.line(line));
  }

  @Override
  public void close() {
    if (bar != null) {
      bar.close();
      bar = null;
    }
  }
}
