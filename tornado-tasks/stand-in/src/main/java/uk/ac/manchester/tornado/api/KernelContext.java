package uk.ac.manchester.tornado.api;

/** Where a work-item is, and what it shares with its workgroup. */
public class KernelContext {
  /** Index among all work-items. */
  public final Integer globalIdx;

  /** Index in the workgroup. */
  public final Integer localIdx;

  /** Index of the workgroup. */
  public final Integer groupIdx;

  private final Workgroup group;
  private int localArrays;
  private int warpArrays;

  /** A work-item that is alone. */
  public KernelContext() {
    this(0, 0, 0, null);
  }

  KernelContext(int globalIdx, int localIdx, int groupIdx, Workgroup group) {
    this.globalIdx = globalIdx;
    this.localIdx = localIdx;
    this.groupIdx = groupIdx;
    this.group = group;
  }

  /** Waits for the workgroup; local memory is the same to all of it afterwards. */
  public void localBarrier() {
    if (group != null) {
      group.meet();
    }
  }

  /** Waits for the workgroup; the device's memory is the same to all of it afterwards. */
  public void globalBarrier() {
    localBarrier();
  }

  /** The workgroup's next array; all its work-items get the same. */
  public float[] allocateFloatLocalArray(int size) {
    return group == null ? new float[size] : group.localArray(localArrays++, size);
  }

  /** The sum of the values of a warp's 32 work-items, known to all; only these wait. */
  public float simdSum(float value) {
    if (group == null) {
      return value;
    }
    Workgroup warp = group.warp(localIdx);
    float[] values = warp.localArray(warpArrays++, Workgroup.WARP);
    values[localIdx % Workgroup.WARP] = value;
    warp.meet();
    float sum = 0;
    for (int i = 0; i < warp.size(); i++) {
      sum += values[i];
    }
    return sum;
  }
}
