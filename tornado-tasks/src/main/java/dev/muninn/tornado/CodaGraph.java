package dev.muninn.tornado;

import dev.muninn.tornado.kernel.HeadKernels;
import dev.muninn.tornado.kernel.NormKernels;
import java.util.List;
import uk.ac.manchester.tornado.api.enums.DataTransferMode;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/** {@code logits = C(s)}: ln_f, the blocks, ln_f again, the head. */
final class CodaGraph extends FunctionGraph {

  /**
   * The graph.
   *
   * @param finalNorm scale of ln_f
   * @param head [vocabulary, width]
   * @param logits of the rows that are read out, [rows, vocabulary]
   */
  CodaGraph(
      Shared shared,
      Activations activations,
      FloatArray finalNorm,
      DeviceMatrix head,
      FloatArray logits,
      List<DeviceBlock> blocks) {
    super("coda", shared, activations, blocks);
    int width = config.embeddingSize();
    int vocabulary = config.vocabularySize();
    graph.transferToDevice(DataTransferMode.FIRST_EXECUTION, finalNorm);
    graph.transferToDevice(DataTransferMode.FIRST_EXECUTION, head.arrays());
    graph.transferToDevice(DataTransferMode.UNDER_DEMAND, logits);
    graph.task(
        task("finalNorm", shared.mostRows()),
        NormKernels::norm,
        context(),
        shared.rowData(),
        shared.latents(),
        shared.slots(),
        finalNorm,
        0,
        activations.stream(),
        shared.identity(),
        activations.factors(),
        width,
        epsilon(),
        lanes());
    stack(blocks, activations.stream(), shared.identity());
    graph.task(
        task("head", vocabulary),
        HeadKernels::logits,
        context(),
        shared.rowData(),
        activations.stream(),
        activations.factors(),
        finalNorm,
        head.floats(),
        head.halves(),
        shared.table(),
        logits,
        shared.mostRows(),
        width,
        vocabulary,
        head.format(),
        lanes());
    graph.transferToHost(DataTransferMode.UNDER_DEMAND, logits);
  }
}
