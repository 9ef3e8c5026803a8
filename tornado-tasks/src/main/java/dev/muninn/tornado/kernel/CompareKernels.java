package dev.muninn.tornado.kernel;

import dev.muninn.backend.LatentComparison;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/** What tells a state from the one that was kept of the same slot. */
public final class CompareKernels {
  private CompareKernels() {}

  /**
   * Compares the states of row slots with those that were kept, and keeps them in their place. A
   * workgroup has a slot.
   *
   * @param slots their number, then the slots
   * @param latents s of every row slot, [slots, width]
   * @param kept the states that were kept, [slots, width]
   * @param gate weight of the model's exit gate, or zeros, [width]
   * @param sums of {@link LatentComparison}, for each slot in the order of {@code slots}
   */
  public static void compareStates(
      KernelContext context,
      IntArray slots,
      FloatArray latents,
      FloatArray kept,
      FloatArray gate,
      FloatArray sums,
      int width,
      int lanes) {
    int item = context.globalIdx / lanes;
    int lane = context.globalIdx % lanes;
    if (item < slots.get(0)) {
      int from = slots.get(1 + item) * width;
      float change = 0;
      float growth = 0;
      float square = 0;
      float gated = 0;
      for (int i = lane; i < width; i += lanes) {
        float state = latents.get(from + i);
        float before = kept.get(from + i);
        float difference = state - before;
        change += difference * difference;
        growth += difference * (state + before);
        square += state * state;
        gated += state * gate.get(i);
        kept.set(from + i, state);
      }
      change = Lanes.sum(context, change, lane, lanes);
      growth = Lanes.sum(context, growth, lane, lanes);
      square = Lanes.sum(context, square, lane, lanes);
      gated = Lanes.sum(context, gated, lane, lanes);
      if (lane == 0) {
        int to = item * LatentComparison.SUMS;
        sums.set(to + LatentComparison.CHANGE, change);
        sums.set(to + LatentComparison.GROWTH, growth);
        sums.set(to + LatentComparison.SQUARE, square);
        sums.set(to + LatentComparison.GATE, gated);
      }
    }
  }
}
