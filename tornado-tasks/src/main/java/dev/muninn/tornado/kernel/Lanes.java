package dev.muninn.tornado.kernel;

import uk.ac.manchester.tornado.api.KernelContext;

/** What the lanes of a workgroup do together. */
final class Lanes {
  private Lanes() {}

  /** The sum of all lanes' values, known to all. */
  static float sum(KernelContext context, float value, float[] shared, int lane, int lanes) {
    context.localBarrier();
    shared[lane] = value;
    context.localBarrier();
    for (int distance = lanes / 2; distance > 0; distance /= 2) {
      if (lane < distance) {
        shared[lane] += shared[lane + distance];
      }
      context.localBarrier();
    }
    return shared[0];
  }

  /** The greatest of all lanes' values, known to all. */
  static float greatest(KernelContext context, float value, float[] shared, int lane, int lanes) {
    context.localBarrier();
    shared[lane] = value;
    context.localBarrier();
    for (int distance = lanes / 2; distance > 0; distance /= 2) {
      if (lane < distance) {
        shared[lane] = Math.max(shared[lane], shared[lane + distance]);
      }
      context.localBarrier();
    }
    return shared[0];
  }
}
