package dev.muninn.tornado;

import dev.muninn.tornado.kernel.ProductKernels;
import dev.muninn.tornado.kernel.WeightFormat;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.TaskGraph;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/** The product as a task, in the kernel that a schedule and the weights take. */
final class ProductTask {
  private ProductTask() {}

  /**
   * Adds it to a graph.
   *
   * @param count where the row table has the number of rows
   * @param section of the row table that finds the rows of the input
   */
  static void add(
      TaskGraph graph,
      String task,
      Schedule schedule,
      IntArray rows,
      FloatArray input,
      DeviceMatrix matrix,
      FloatArray table,
      FloatArray target,
      int count,
      int section) {
    boolean scaled = WeightFormat.isScaled(matrix.format());
    if (schedule.tensors() && matrix.fitsTensors()) {
      graph.task(
          task,
          ProductKernels::productByTensors,
          new KernelContext(),
          rows,
          input,
          matrix.floats(),
          matrix.packed(),
          table,
          target,
          count,
          section,
          matrix.columns(),
          matrix.rows());
    } else if (matrix.inHalves()) {
      graph.task(
          task,
          ProductKernels::productOfHalvesByWarps,
          new KernelContext(),
          rows,
          input,
          matrix.halves(),
          matrix.packed(),
          table,
          target,
          count,
          section,
          matrix.columns(),
          matrix.stride(),
          matrix.rows());
    } else if (schedule.warps() && scaled) {
      graph.task(
          task,
          ProductKernels::productOfScaledByWarps,
          new KernelContext(),
          rows,
          input,
          matrix.floats(),
          matrix.packed(),
          table,
          target,
          count,
          section,
          matrix.columns(),
          matrix.stride(),
          matrix.rows(),
          matrix.format());
    } else if (schedule.warps()) {
      graph.task(
          task,
          ProductKernels::productByWarps,
          new KernelContext(),
          rows,
          input,
          matrix.floats(),
          matrix.packed(),
          table,
          target,
          count,
          section,
          matrix.columns(),
          matrix.stride(),
          matrix.rows(),
          matrix.format());
    } else if (scaled) {
      graph.task(
          task,
          ProductKernels::productOfScaled,
          new KernelContext(),
          rows,
          input,
          matrix.floats(),
          matrix.packed(),
          table,
          target,
          count,
          section,
          matrix.columns(),
          matrix.stride(),
          matrix.rows(),
          matrix.format(),
          schedule.lanes());
    } else {
      graph.task(
          task,
          ProductKernels::product,
          new KernelContext(),
          rows,
          input,
          matrix.floats(),
          matrix.packed(),
          table,
          target,
          count,
          section,
          matrix.columns(),
          matrix.stride(),
          matrix.rows(),
          matrix.format(),
          schedule.lanes());
    }
  }
}
