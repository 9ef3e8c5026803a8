package dev.muninn.tornado;

import java.util.List;
import uk.ac.manchester.tornado.api.enums.DataTransferMode;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/** {@code e = P(x)}: the blocks, if any, over embedded tokens, which the host looks up. */
final class PreludeGraph extends FunctionGraph {

  /**
   * The graph.
   *
   * @param rows their table
   * @param embedded tokens' scaled embeddings, by row
   */
  PreludeGraph(
      Shared shared,
      Activations activations,
      IntArray rows,
      FloatArray embedded,
      List<DeviceBlock> blocks) {
    super("prelude", shared, activations, rows, blocks);
    graph.transferToDevice(DataTransferMode.EVERY_EXECUTION, embedded);
    run(
        new Rows(embedded, shared.identity(), DeviceNorm.NONE),
        new Rows(shared.embeddings(), shared.slots(), DeviceNorm.NONE));
  }
}
