package dev.muninn.tornado.kernel;

import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/** What a device's memory is measured by. */
public final class ProbeKernels {
  private ProbeKernels() {}

  /** Copies floats. An item is one of them. */
  public static void copyFloats(
      KernelContext context, FloatArray source, FloatArray target, int size) {
    int index = context.globalIdx;
    if (index < size) {
      target.set(index, source.get(index));
    }
  }
}
