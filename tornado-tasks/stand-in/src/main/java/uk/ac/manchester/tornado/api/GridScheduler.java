package uk.ac.manchester.tornado.api;

import java.util.HashMap;
import java.util.Map;

/** The grid of each task, by {@code graph.task}. */
public class GridScheduler {
  private final Map<String, WorkerGrid> grids = new HashMap<>();

  /** Without tasks. */
  public GridScheduler() {}

  /** With a task. */
  public GridScheduler(String taskName, WorkerGrid workerGrid) {
    grids.put(taskName, workerGrid);
  }

  /** Sets a task's grid. */
  public void addWorkerGrid(String taskName, WorkerGrid workerGrid) {
    grids.put(taskName, workerGrid);
  }

  /** A task's grid, or null. */
  public WorkerGrid get(String taskName) {
    return grids.get(taskName);
  }
}
