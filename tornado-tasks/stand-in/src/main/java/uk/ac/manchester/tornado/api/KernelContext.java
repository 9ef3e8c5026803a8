package uk.ac.manchester.tornado.api;

import uk.ac.manchester.tornado.api.enums.MMAShape;
import uk.ac.manchester.tornado.api.types.HalfFloat;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

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
  private int meetings;

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

  /** The same of ints. */
  public int[] allocateIntLocalArray(int size) {
    return group == null ? new int[size] : group.localInts(localArrays++, size);
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

  /** The fragment of a warp's sums, 16 rows by 8 columns, all of this value. */
  public float[] mmaFragment(float v) {
    return new float[] {v, v, v, v};
  }

  /** The fragment of 16 rows by 16 columns of 16 bits that lie at this offset, in bytes. */
  public HalfFloat[] mmaLoadA(int[] aTile, int wmmaK, int byteOffset) {
    return TensorCores.loadA(aTile, byteOffset, localIdx % Workgroup.WARP);
  }

  /** The fragment of 16 rows by 8 columns of 16 bits that lie at this offset, in bytes. */
  public HalfFloat[] mmaLoadB(int[] bTile, int wmmaK, int byteOffset) {
    return TensorCores.loadB(bTile, byteOffset, localIdx % Workgroup.WARP);
  }

  /** Sums with products of BF16 more; the lanes of a warp wait for each other. */
  public float[] mmaBF16(HalfFloat[] fragA, HalfFloat[] fragB, float[] fragC, MMAShape mmaShape) {
    if (group == null) {
      throw new IllegalStateException("tensor cores take the lanes of a warp");
    }
    return TensorCores.multiply(
        group.warp(localIdx), meetings++, localIdx % Workgroup.WARP, fragA, fragB, fragC);
  }

  /** Stores the sums of a fragment from this row and column on. */
  public void mmaStore(float[] fragD, FloatArray c, int tileRow, int tileCol, int dimN) {
    TensorCores.store(fragD, c, tileRow, tileCol, dimN, localIdx % Workgroup.WARP);
  }
}
