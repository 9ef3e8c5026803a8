package uk.ac.manchester.tornado.api;

/** How many work-items a task has, and how many of them are a workgroup. */
public interface WorkerGrid {
  /** Work-items in each dimension. */
  long[] getGlobalWork();

  /** Work-items of a workgroup, or null if the device chooses. */
  long[] getLocalWork();

  /** Sets a workgroup's work-items. */
  void setLocalWork(long x, long y, long z);

  /** The device chooses the workgroups. */
  void setLocalWorkToNull();
}
