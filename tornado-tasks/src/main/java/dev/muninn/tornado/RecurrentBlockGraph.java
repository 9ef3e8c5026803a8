package dev.muninn.tornado;

import java.util.List;
import java.util.Optional;

/**
 * {@code s = R(e, s)}. Built once, executed at every recurrence. Nothing travels with it: where
 * keys and values of the next recurrence stand is worked out on the device, so that many executions
 * can be under way.
 */
final class RecurrentBlockGraph extends FunctionGraph {

  /**
   * The graph.
   *
   * @param injection [width, 2 * width], or empty where the blocks read s alone
   * @param norm on the state behind the blocks
   */
  RecurrentBlockGraph(
      Shared shared,
      Activations activations,
      Optional<DeviceMatrix> injection,
      List<DeviceBlock> blocks,
      DeviceNorm norm) {
    super("recurrentBlock", shared, activations, shared.coreRows(), blocks);
    once(norm.array());
    Rows source = new Rows(shared.latents(), shared.slots(), DeviceNorm.NONE);
    if (injection.isPresent()) {
      inject(injection.get());
      source = new Rows(activations.sums(), shared.identity(), DeviceNorm.NONE);
    }
    run(source, new Rows(shared.latents(), shared.slots(), norm));
    advance("advance");
  }

  private void inject(DeviceMatrix matrix) {
    once(matrix.arrays());
    gather("gather", matrix.columns());
    product("inject", matrix, activations.both(), activations.sums());
  }
}
