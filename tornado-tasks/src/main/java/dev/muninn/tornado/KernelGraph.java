package dev.muninn.tornado;

import java.util.List;
import java.util.function.Consumer;
import uk.ac.manchester.tornado.api.enums.DataTransferMode;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * The same kernel several times, to be timed: beside its copies the graph's launch counts little.
 */
final class KernelGraph extends FunctionGraph {
  static final String NAME = "kernels";
  static final int COPIES = 4;

  KernelGraph(Shared shared, Activations activations, IntArray rows) {
    super(NAME, shared, activations, rows, List.of());
  }

  /** Adds the copies of a task, each by its name. */
  void repeat(Consumer<String> task) {
    for (int copy = 0; copy < COPIES; copy++) {
      task.accept("copy" + copy);
    }
  }

  /** Arrays that are on the device alone. */
  void onDevice(Object... arrays) {
    graph.transferToDevice(DataTransferMode.UNDER_DEMAND, arrays);
  }

  Activations activations() {
    return activations;
  }
}
