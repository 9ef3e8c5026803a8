package dev.muninn.spark;

import dev.muninn.LanguageModel;
import dev.muninn.decode.Cancellation;
import java.io.IOException;
import org.apache.spark.TaskContext;
import org.apache.spark.TaskKilledException;

/**
 * The executor's model in the hands of one task, with as many threads as the task has cores. It is
 * given back when the task ends, and what it computes is cancelled when Spark kills the task.
 */
final class TaskModel {
  private static final int POLL_MILLISECONDS = 50;

  private final TaskContext context;
  private final ExecutorModel.Lease lease;

  private TaskModel(TaskContext context, ExecutorModel.Lease lease) {
    this.context = context;
    this.lease = lease;
  }

  /** Takes the model for the task that runs on this thread. */
  static TaskModel take(ModelSource source, JobMetrics metrics) throws IOException {
    TaskContext context = TaskContext.get();
    ExecutorModel.Lease lease = ExecutorModel.acquire(source, context.cpus());
    if (lease.opened()) {
      metrics.modelOpened();
    }
    TaskModel task = new TaskModel(context, lease);
    Thread watch = Thread.ofPlatform().daemon().name("muninn-watch").unstarted(task::watch);
    context.addTaskCompletionListener(ended -> {
      watch.interrupt();
      lease.close();
    });
    watch.start();
    return task;
  }

  /** Spark tells a task of its end by a flag alone. */
  private void watch() {
    try {
      while (!context.isInterrupted()) {
        Thread.sleep(POLL_MILLISECONDS);
      }
      lease.cancellation().cancel();
    } catch (InterruptedException e) {
      // The task has ended.
    }
  }

  LanguageModel model() {
    return lease.model();
  }

  Cancellation cancellation() {
    return lease.cancellation();
  }

  /** Ends the task if it was killed: what it has is not all. */
  void requireGoingOn() {
    // Spark may interrupt the computation before the watch has seen the flag.
    if (cancellation().isCancelled() || context.isInterrupted()) {
      throw new TaskKilledException("the task was cancelled");
    }
  }
}
