package dev.muninn.tornado;

import dev.muninn.tornado.kernel.AdapterKernels;
import java.util.List;
import uk.ac.manchester.tornado.api.enums.DataTransferMode;

/** {@code s = R(e, s)}: adapter and blocks. Built once, executed at every recurrence. */
final class RecurrentBlockGraph extends FunctionGraph {

  /**
   * The graph.
   *
   * @param adapter [width, 2 * width]
   */
  RecurrentBlockGraph(
      Shared shared, Activations activations, DeviceMatrix adapter, List<DeviceBlock> blocks) {
    super("recurrentBlock", shared, activations, blocks);
    int width = config.embeddingSize();
    graph.transferToDevice(DataTransferMode.FIRST_EXECUTION, adapter.arrays());
    graph.task(
        task("adapter", width),
        AdapterKernels::adapt,
        context(),
        shared.rowData(),
        shared.latents(),
        shared.embeddings(),
        adapter.floats(),
        adapter.halves(),
        shared.table(),
        activations.sums(),
        shared.mostRows(),
        width,
        adapter.format(),
        lanes());
    measure("measure", activations.sums());
    stack(blocks, shared.latents(), shared.slots());
  }
}
