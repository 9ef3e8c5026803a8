package dev.muninn.tornado;

import uk.ac.manchester.tornado.api.TornadoExecutionPlan;
import uk.ac.manchester.tornado.api.common.TornadoDevice;

/** Times a graph by many executions of it, so that waiting for the last counts little. */
final class DeviceClock {
  /** Executions that may be under way: the runtime notes their events in a ring. */
  private static final int UNDER_WAY = 16;

  private static final int TRIES = 3;

  private final TornadoExecutionPlan plan;
  private final TornadoDevice device;
  private final long span;

  /**
   * A clock.
   *
   * @param span nanoseconds of executions that are enough to be timed
   */
  DeviceClock(TornadoExecutionPlan plan, TornadoDevice device, long span) {
    this.plan = plan;
    this.device = device;
    this.span = span;
  }

  /** Nanoseconds of an execution of the graph, which has been compiled: the least of some tries. */
  double nanos(int graph) {
    int executions = 1;
    long took = nanos(graph, executions);
    while (took < span && executions < 1 << 20) {
      executions *= 2;
      took = nanos(graph, executions);
    }
    for (int i = 1; i < TRIES; i++) {
      took = Math.min(took, nanos(graph, executions));
    }
    return (double) took / executions;
  }

  private long nanos(int graph, int executions) {
    long began = System.nanoTime();
    for (int i = 1; i <= executions; i++) {
      plan.withGraph(graph).execute();
      if (i % UNDER_WAY == 0 || i == executions) {
        device.sync(plan.getId());
      }
    }
    return System.nanoTime() - began;
  }
}
