package dev.muninn.tornado.kernel;

import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.math.TornadoMath;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

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

  /** The greatest of the values of a whole workgroup's lanes, known to all. */
  static float greatest(KernelContext context, float value, int lane, int lanes) {
    float most = value;
    if (lanes > 1) {
      float[] shared = context.allocateFloatLocalArray(lanes);
      context.localBarrier();
      shared[lane] = value;
      context.localBarrier();
      for (int distance = lanes / 2; distance > 0; distance /= 2) {
        if (lane < distance) {
          shared[lane] = TornadoMath.max(shared[lane], shared[lane + distance]);
        }
        context.localBarrier();
      }
      most = shared[0];
    }
    return most;
  }

  /**
   * The sum of the values of an item's lanes, in a workgroup of {@link #ITEMS} items; known to its
   * first lane.
   *
   * @param index of the work-item among all
   * @param kind has {@link WeightFormat#CUDA} where warps sum their registers; a constant in Java's
   *     code, since other compilers do not know the sum
   */
  static float sumOfItem(
      KernelContext context, float value, int index, int lane, int lanes, int kind) {
    float total = value;
    if ((kind & WeightFormat.CUDA) != 0) {
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

  /**
   * Stores the sums of eight values of an item's lanes in eight rows, in a workgroup of {@link
   * #ITEMS} items. The values meet at the same barriers.
   *
   * @param index of the work-item among all
   * @param kind has {@link WeightFormat#CUDA} in a kernel for CUDA
   * @param target rows of {@code outputs}
   * @param row the first of the eight
   * @param item the output; one behind the last is not stored
   */
  static void storeSums(
      KernelContext context,
      float s0,
      float s1,
      float s2,
      float s3,
      float s4,
      float s5,
      float s6,
      float s7,
      int index,
      int lane,
      int lanes,
      int kind,
      FloatArray target,
      int row,
      int item,
      int outputs) {
    int to = row * outputs + item;
    if ((kind & WeightFormat.CUDA) != 0 || lanes == 1) {
      float t0 = (kind & WeightFormat.CUDA) != 0 ? context.simdSum(s0) : s0;
      float t1 = (kind & WeightFormat.CUDA) != 0 ? context.simdSum(s1) : s1;
      float t2 = (kind & WeightFormat.CUDA) != 0 ? context.simdSum(s2) : s2;
      float t3 = (kind & WeightFormat.CUDA) != 0 ? context.simdSum(s3) : s3;
      float t4 = (kind & WeightFormat.CUDA) != 0 ? context.simdSum(s4) : s4;
      float t5 = (kind & WeightFormat.CUDA) != 0 ? context.simdSum(s5) : s5;
      float t6 = (kind & WeightFormat.CUDA) != 0 ? context.simdSum(s6) : s6;
      float t7 = (kind & WeightFormat.CUDA) != 0 ? context.simdSum(s7) : s7;
      if (lane == 0) {
        if (item < outputs) {
          target.set(to, t0);
          target.set(to + outputs, t1);
          target.set(to + 2 * outputs, t2);
          target.set(to + 3 * outputs, t3);
          target.set(to + 4 * outputs, t4);
          target.set(to + 5 * outputs, t5);
          target.set(to + 6 * outputs, t6);
          target.set(to + 7 * outputs, t7);
        }
      }
    } else {
      float[] shared = context.allocateFloatLocalArray(8 * ITEMS * lanes);
      int group = ITEMS * lanes;
      int own = index % group;
      context.localBarrier();
      shared[own] = s0;
      shared[own + group] = s1;
      shared[own + 2 * group] = s2;
      shared[own + 3 * group] = s3;
      shared[own + 4 * group] = s4;
      shared[own + 5 * group] = s5;
      shared[own + 6 * group] = s6;
      shared[own + 7 * group] = s7;
      context.localBarrier();
      for (int distance = lanes / 2; distance > 0; distance /= 2) {
        if (lane < distance) {
          for (int at = own; at < 8 * group; at += group) {
            shared[at] += shared[at + distance];
          }
        }
        context.localBarrier();
      }
      if (item < outputs) {
        for (int k = lane; k < 8; k += lanes) {
          target.set(to + k * outputs, shared[k * group + own - lane]);
        }
      }
    }
  }
}
