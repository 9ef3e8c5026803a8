package dev.muninn.tornado;

import dev.muninn.backend.LatentComparison;
import dev.muninn.model.RecurrentModel;
import dev.muninn.tornado.kernel.CompareKernels;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.TaskGraph;
import uk.ac.manchester.tornado.api.enums.DataTransferMode;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/** Compares states on the device, in a graph of its own, so that only sums leave it. */
final class StateComparer {
  final TaskGraph graph = new TaskGraph("stateComparer");

  /** The states that were kept, of every row slot. */
  final FloatArray kept;

  /** What the last comparison found, [slots, {@link LatentComparison#SUMS}]. */
  final FloatArray sums;

  private final IntArray slots;

  /**
   * The graph.
   *
   * @param kept [row slots, width], on the device alone
   */
  StateComparer(FunctionGraph.Shared shared, FloatArray kept) {
    this.kept = kept;
    slots = new IntArray(1 + shared.mostRows());
    slots.set(0, 0);
    sums = new FloatArray(shared.mostRows() * LatentComparison.SUMS);
    FloatArray gate = gate(shared.model());
    // The next graph finds in the last one what stays on the device, so this one has all of it.
    graph.consumeFromDevice(shared.onDevice());
    graph.transferToDevice(DataTransferMode.EVERY_EXECUTION, slots);
    graph.transferToDevice(DataTransferMode.FIRST_EXECUTION, gate);
    graph.transferToDevice(DataTransferMode.UNDER_DEMAND, kept, sums);
    int lanes = shared.schedule().group();
    graph.task(
        "compare",
        CompareKernels::compareStates,
        new KernelContext(),
        slots,
        shared.latents(),
        kept,
        gate,
        sums,
        shared.model().width(),
        lanes);
    graph.transferToHost(DataTransferMode.UNDER_DEMAND, kept, sums);
    Schedule.lay(shared.grids(), "stateComparer.compare", shared.mostRows(), lanes, lanes);
  }

  private static FloatArray gate(RecurrentModel model) {
    FloatArray weight = new FloatArray(model.width());
    weight.init(0);
    model
        .gate()
        .ifPresent(gate -> {
          for (int i = 0; i < model.width(); i++) {
            weight.set(i, gate.weight()[i]);
          }
        });
    return weight;
  }

  /** Says which slots the next execution compares. */
  void choose(int[] chosen, int from, int count, int firstSlot) {
    slots.set(0, count);
    for (int i = 0; i < count; i++) {
      slots.set(1 + i, firstSlot + chosen[from + i]);
    }
  }
}
