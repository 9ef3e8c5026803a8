package dev.muninn.spark;

import java.io.PrintStream;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.spark.SparkContext;
import org.apache.spark.scheduler.AccumulableInfo;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerExecutorMetricsUpdate;
import org.apache.spark.scheduler.SparkListenerTaskEnd;
import org.apache.spark.util.LongAccumulator;
import scala.jdk.javaapi.CollectionConverters;

/**
 * Prints a line about the job from time to time. Spark adds what a task did to the accumulators
 * when it ends; before that, the executors' heartbeats say how far it is.
 */
final class Progress extends SparkListener implements AutoCloseable {
  private static final int SECONDS = 10;

  private final SparkContext context;
  private final JobMetrics metrics;
  private final long all;
  private final String what;
  private final PrintStream out;
  private final long began = System.nanoTime();
  private final Thread thread;

  /** What running tasks have reported, by task, by accumulator. */
  private final Map<Long, Map<Long, Long>> running = new HashMap<>();

  private String last = "";

  /**
   * Begins to print.
   *
   * @param all rows of the job, 0 if not known
   * @param what the rows are, in the plural
   */
  Progress(SparkContext context, JobMetrics metrics, long all, String what, PrintStream out) {
    this.context = context;
    this.metrics = metrics;
    this.all = all;
    this.what = what;
    this.out = out;
    context.addSparkListener(this);
    thread = Thread.ofPlatform().daemon().name("muninn-progress").start(this::run);
  }

  private void run() {
    try {
      while (true) {
        Thread.sleep(SECONDS * 1000L);
        String line = line();
        if (!line.equals(last)) {
          out.println("muninn: " + line);
          last = line;
        }
      }
    } catch (InterruptedException e) {
      // The job has ended.
    }
  }

  /** The state in one line. */
  synchronized String line() {
    List<Long> values = new ArrayList<>();
    for (LongAccumulator accumulator : metrics.accumulators()) {
      long value = accumulator.value();
      for (Map<Long, Long> parts : running.values()) {
        value += parts.getOrDefault(accumulator.id(), 0L);
      }
      values.add(value);
    }
    return JobMetrics.line(values, all, what, (System.nanoTime() - began) / 1e9);
  }

  @Override
  public synchronized void onExecutorMetricsUpdate(SparkListenerExecutorMetricsUpdate update) {
    for (var task : CollectionConverters.asJava(update.accumUpdates())) {
      Map<Long, Long> parts = running.computeIfAbsent((Long) task._1(), key -> new HashMap<>());
      for (AccumulableInfo info : CollectionConverters.asJava(task._4())) {
        if (info.update().isDefined() && info.update().get() instanceof Long value) {
          parts.put(info.id(), value);
        }
      }
    }
  }

  @Override
  public synchronized void onTaskEnd(SparkListenerTaskEnd end) {
    running.remove(end.taskInfo().taskId());
  }

  @Override
  public void close() {
    thread.interrupt();
    context.removeSparkListener(this);
    out.println("muninn: " + line());
  }
}
