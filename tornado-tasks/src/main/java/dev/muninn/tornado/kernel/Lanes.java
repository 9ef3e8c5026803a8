package dev.muninn.tornado.kernel;

import uk.ac.manchester.tornado.api.KernelContext;

/**
 * What the lanes of an item do together; all work-items of a workgroup call it. The array that they
 * share is allocated here and never passed: the runtime addresses an array that is a parameter as
 * an object of Java, with the header that local memory does not have.
 */
final class Lanes {
  /** Items of a workgroup that has several. */
  static final int ITEMS = 8;

  private Lanes() {}

  /** The sum of the values of a whole workgroup's lanes, known to all. */
  static float sum(KernelContext context, float value, int lane, int lanes) {
    float total = value;
    if (lanes > 1) {
      float[] shared = context.allocateFloatLocalArray(lanes);
      context.localBarrier();
      shared[lane] = value;
      context.localBarrier();
      for (int distance = lanes / 2; distance > 0; distance /= 2) {
        if (lane < distance) {
          shared[lane] += shared[lane + distance];
        }
        context.localBarrier();
      }
      total = shared[0];
    }
    return total;
  }

  /**
   * The sum of the values of an item's lanes, in a workgroup of {@link #ITEMS} items; known to its
   * first lane.
   *
   * @param index of the work-item among all
   * @param cuda 1 in a kernel for CUDA, whose warps sum their registers, else 0; a constant in the
   *     kernel's code, since other compilers do not know the sum
   */
  static float sumOfItem(
      KernelContext context, float value, int index, int lane, int lanes, int cuda) {
    float total = value;
    if (cuda != 0) {
      total = context.simdSum(value);
    } else if (lanes > 1) {
      float[] shared = context.allocateFloatLocalArray(ITEMS * lanes);
      int own = index % (ITEMS * lanes);
      context.localBarrier();
      shared[own] = value;
      context.localBarrier();
      for (int distance = lanes / 2; distance > 0; distance /= 2) {
        if (lane < distance) {
          shared[own] += shared[own + distance];
        }
        context.localBarrier();
      }
      total = shared[own];
    }
    return total;
  }
}
