package dev.muninn.tornado.kernel;

import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/** What the host writes to row slots. */
public final class SlotKernels {
  private SlotKernels() {}

  /**
   * Writes vectors of the host to row slots. An item is a column.
   *
   * @param staged the vectors, [vectors, width]
   * @param targets their number, then for each its row slot, and 0 for s or 1 for e
   */
  public static void write(
      KernelContext context,
      IntArray targets,
      FloatArray staged,
      FloatArray latents,
      FloatArray embeddings,
      int width) {
    int column = context.globalIdx;
    int count = targets.get(0);
    for (int vector = 0; vector < count; vector++) {
      int to = targets.get(1 + 2 * vector) * width + column;
      float value = staged.get(vector * width + column);
      if (targets.get(2 + 2 * vector) == 0) {
        latents.set(to, value);
      } else {
        embeddings.set(to, value);
      }
    }
  }
}
