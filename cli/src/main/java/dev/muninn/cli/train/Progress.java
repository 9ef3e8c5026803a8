package dev.muninn.cli.train;

import dev.muninn.cli.output.Units;
import dev.muninn.cli.terminal.ProgressBars;
import dev.muninn.cli.terminal.Terminal;
import dev.muninn.train.Evaluation;
import dev.muninn.train.StepReport;
import dev.muninn.train.TrainingListener;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.List;
import me.tongfei.progressbar.ProgressBar;

/**
 * Shows the progress of training: a bar on a terminal, elsewhere a line every few seconds; and a
 * line for every evaluation.
 */
final class Progress implements TrainingListener, AutoCloseable {
  private static final long LINE_NANOS = 10_000_000_000L;

  /** How much of what was shown before a new step leaves. */
  private static final double SMOOTHING = 0.95;

  private final PrintWriter err;
  private final long steps;
  private ProgressBar bar;
  private long lastLine = System.nanoTime();
  private double loss = Double.NaN;
  private double stepNanos = Double.NaN;
  private double tokensPerSecond = Double.NaN;
  private List<Evaluation> lastEvaluations = List.of();

  Progress(PrintWriter err, long steps) {
    this.err = err;
    this.steps = steps;
  }

  void begin(long step, long parameters) {
    err.println(
        Units.format(
            "training %,d parameters, step %,d of %,d",
            parameters, Math.min(step + 1, steps), steps));
    if (Terminal.isStandardError()) {
      bar =
          ProgressBars.on(err)
              .setTaskName("step")
              .setInitialMax(steps)
              .startsFrom(step, Duration.ZERO)
              .build();
    }
  }

  @Override
  public void onStep(StepReport report) {
    loss = smoothed(loss, report.loss());
    stepNanos = smoothed(stepNanos, report.nanos());
    tokensPerSecond = report.tokens() * 1e9 / stepNanos;
    String text =
        Units.format("loss %.4f, r %d, %,.0f tokens/s", loss, report.recurrence(), tokensPerSecond);
    if (bar != null) {
      bar.setExtraMessage(" " + text);
      bar.stepTo(report.step());
    } else if (System.nanoTime() - lastLine > LINE_NANOS || report.step() == steps) {
      lastLine = System.nanoTime();
      long seconds = Math.round((steps - report.step()) * stepNanos / 1e9);
      err.println(
          Units.format(
              "step %d of %d, %s, %d:%02d left",
              report.step(), steps, text, seconds / 60, seconds % 60));
    }
  }

  private static double smoothed(double before, double now) {
    return Double.isNaN(before) ? now : SMOOTHING * before + (1 - SMOOTHING) * now;
  }

  @Override
  public void onEvaluation(long step, List<Evaluation> evaluations) {
    lastEvaluations = evaluations;
    StringBuilder line = new StringBuilder(Units.format("step %d, validation:", step));
    String set = null;
    for (Evaluation evaluation : evaluations) {
      if (!evaluation.set().equals(set)) {
        line.append(set == null ? " " : "; ").append(evaluation.set());
        set = evaluation.set();
      }
      line.append(
          Units.format(
              " r%d %.0f %% (loss %.3f)",
              evaluation.recurrence(), 100 * evaluation.accuracy(), evaluation.loss()));
    }
    err.println((bar == null ? "" : "\n") + line);
  }

  /** The last evaluation's results; empty if there was none. */
  List<Evaluation> lastEvaluations() {
    return lastEvaluations;
  }

  @Override
  public void close() {
    finish();
  }

  /** Ends the bar, so that other lines may follow. */
  void finish() {
    if (bar != null) {
      bar.close();
      bar = null;
    }
  }
}
