package uk.ac.manchester.tornado.api;

/** What grids of all dimensions have. */
public abstract class AbstractWorkerGrid implements WorkerGrid {
  private final long[] globalWork;
  private long[] localWork;

  AbstractWorkerGrid(long x, long y, long z) {
    globalWork = new long[] {x, y, z};
  }

  @Override
  public long[] getGlobalWork() {
    return globalWork;
  }

  @Override
  public long[] getLocalWork() {
    return localWork;
  }

  @Override
  public void setLocalWork(long x, long y, long z) {
    localWork = new long[] {x, y, z};
  }

  @Override
  public void setLocalWorkToNull() {
    localWork = null;
  }
}
