package dev.muninn.tornado.kernel;

import uk.ac.manchester.tornado.api.KernelContext;

/**
 * What the lanes of a workgroup do together; all of them call it. The array that they share is
 * allocated here and never passed: the runtime addresses an array that is a parameter as an object
 * of Java, with the header that local memory does not have.
 */
final class Lanes {
  private Lanes() {}

  /** The sum of all lanes' values, known to all. */
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

  /** The greatest of all lanes' values, known to all. */
  static float greatest(KernelContext context, float value, int lane, int lanes) {
    float most = value;
    if (lanes > 1) {
      float[] shared = context.allocateFloatLocalArray(lanes);
      context.localBarrier();
      shared[lane] = value;
      context.localBarrier();
      for (int distance = lanes / 2; distance > 0; distance /= 2) {
        if (lane < distance) {
          shared[lane] = Math.max(shared[lane], shared[lane + distance]);
        }
        context.localBarrier();
      }
      most = shared[0];
    }
    return most;
  }
}
