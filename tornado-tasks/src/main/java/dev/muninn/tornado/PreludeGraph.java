package dev.muninn.tornado;

import java.util.List;
import uk.ac.manchester.tornado.api.enums.DataTransferMode;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/** {@code e = P(x)}: the blocks over embedded tokens, which the host looks up. */
final class PreludeGraph extends FunctionGraph {

  /**
   * The graph.
   *
   * @param embedded tokens' embeddings times sqrt(h), by row
   */
  PreludeGraph(
      Shared shared, Activations activations, FloatArray embedded, List<DeviceBlock> blocks) {
    super("prelude", shared, activations, blocks);
    graph.transferToDevice(DataTransferMode.EVERY_EXECUTION, embedded);
    measure("measure", embedded);
    stack(blocks, shared.embeddings(), shared.slots());
  }
}
