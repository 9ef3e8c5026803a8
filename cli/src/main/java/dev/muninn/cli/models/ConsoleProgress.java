package dev.muninn.cli.models;

import dev.muninn.cli.Printable;
import dev.muninn.cli.Units;
import java.io.PrintWriter;
import java.time.Duration;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

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
  public void begin(String model, int files, long bytes) {
    note(model + ": " + Units.count(files, "file") + ", " + Units.bytes(bytes));
  }

  @Override
  public void file(String what, RemoteFile file) {
    close();
    if (bars) {
      bar =
          new ProgressBarBuilder()
              .setTaskName(what + " " + file.name())
              .setInitialMax(file.size())
              .setStyle(ProgressBarStyle.ASCII)
              .setUnit(" MB", MEGABYTE)
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
    if (bars) {
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
      bar.setExtraMessage(" " + Printable.line(why) + "; again in " + when);
    } else {
      note(why + "; again in " + when);
    }
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
