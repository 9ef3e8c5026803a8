package dev.muninn.tornado;

import dev.muninn.model.Coda;
import dev.muninn.tornado.kernel.CompareKernels;
import dev.muninn.tornado.kernel.RowTable;
import java.util.List;
import uk.ac.manchester.tornado.api.enums.DataTransferMode;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * {@code logits = C(s)}: the blocks, if any, between two norms, if any, and the head. What exits
 * want to know of the logits is found here too.
 */
final class CodaGraph extends FunctionGraph {

  /**
   * The graph.
   *
   * @param rows their table
   * @param coda its norms
   * @param head [vocabulary, width]
   * @param logits of the rows that are read out, [rows, vocabulary]
   * @param comparer of those logits
   */
  CodaGraph(
      Shared shared,
      Activations activations,
      IntArray rows,
      Coda coda,
      DeviceMatrix head,
      FloatArray logits,
      LogitComparer comparer,
      List<DeviceBlock> blocks) {
    super("coda", shared, activations, rows, blocks);
    DeviceNorm before = DeviceNorm.of(coda.before());
    DeviceNorm beforeHead = DeviceNorm.of(coda.beforeHead());
    once(before.array(), beforeHead.array());
    once(head.arrays());
    graph.transferToDevice(DataTransferMode.UNDER_DEMAND, logits);
    run(new Rows(shared.latents(), shared.slots(), before), normed(beforeHead));
    product(
        "head",
        head,
        input(beforeHead),
        logits,
        RowTable.WANTED,
        RowTable.wantedRows(shared.mostRows()));
    compare(comparer, logits);
    graph.transferToHost(DataTransferMode.UNDER_DEMAND, logits, comparer.sums);
  }

  private void compare(LogitComparer comparer, FloatArray logits) {
    graph.transferToDevice(DataTransferMode.EVERY_EXECUTION, comparer.compared);
    graph.transferToDevice(DataTransferMode.UNDER_DEMAND, comparer.kept, comparer.sums);
    graph.task(
        rowTask("compare"),
        CompareKernels::compareLogits,
        context(),
        comparer.compared,
        logits,
        comparer.kept,
        comparer.sums,
        model.vocabularySize(),
        group());
  }
}
